using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>torchvision's MobileNetV2, under its own names.</summary>
internal static class MobileNetV2Encoder
{
    private const string Features = "encoder.features.";
    private const string Stem = Features + "0.0.weight";

    /// <summary>
    /// The number of blocks up to features 3 and 4; all of them and the last convolution give feature 5.
    /// </summary>
    private const int ToFeature3 = 6, ToFeature4 = 13;

    public static NamedBackbone? Find(EncoderSearch search)
    {
        // Some mobile networks of timm are called alike and have another stem.
        if (!search.Has(Stem, Features + "18.0.weight"))
            return null;
        InvertedResidualSpec whole = BackboneShapes.MobileNetV2(search.OutputStride, DilationRule.Full) with
        {
            LowLevelBlock = 3,
        };
        int depth = search.Depth(
            Projection(ToFeature3), Projection(ToFeature4), search.Outputs(Features + "18.0.weight"));
        int blocks = depth switch { 3 => ToFeature3, 4 => ToFeature4, _ => whole.Blocks.Count };
        return new(
            whole with { Blocks = [.. whole.Blocks.Take(blocks)], LastConvolution = depth == 5 },
            BackboneNames.MobileNetV2(_ => Features),
            Stem)
        {
            Unused = depth == 5 ? [] : [.. Enumerable.Range(blocks + 1, 18 - blocks).Select(i => $"{Features}{i}.")],
        };

        int Projection(int block) => search.Outputs($"{Features}{block}.conv.2.weight");
    }
}
