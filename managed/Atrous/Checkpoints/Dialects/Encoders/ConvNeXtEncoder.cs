using Atrous.Graph;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>timm's ConvNeXt of both versions; the second has a norm between its linear layers.</summary>
internal static class ConvNeXtEncoder
{
    private const string Prefix = EncoderSearch.Timm, Stem = Prefix + "stem_0.weight";

    /// <summary>Channels of the stem of convnext_xxlarge, and of no other.</summary>
    private const int XxLarge = 384;

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(
            Stem, Prefix + "stem_1.weight", Block(0, 0) + "conv_dw.weight", Block(0, 0) + "mlp.fc1.weight"))
            return null;
        int[] blocks = BackboneShapes.CountBlocks(
            search.File, (stage, block) => Block(stage - 1, block) + "conv_dw.weight");
        if (blocks[0] == 1)
        {
            throw new ModelException(
                $"'{search.File.Path}': the first stage of its ConvNeXt has one block, as in timm's test_convnext " +
                $"alone, whose activation Atrous does not have.");
        }
        // Stages that the head does not read are not in the file.
        int depth = search.Depth(Channels(1), Channels(2), Channels(3));
        return new(
            new ConvNeXtSpec
            {
                Name = "ConvNeXt",
                Activation = Activation.Gelu,
                Blocks = [.. blocks.Take(depth - 1)],
                Stages = DilationPlan.Of(4, [1, 2, 2, 2], search.OutputStride, DilationRule.FirstBlockPrevious),
                LayerNormEpsilon = search.Outputs(Stem) == XxLarge ? 1e-5 : 1e-6,
                ResponseNorms = search.Has(Block(0, 0) + "mlp.grn.weight"),
                ScaledBlocks = search.Has(Block(0, 0) + "gamma"),
            },
            [
                new(@"backbone\.stem", Prefix + "stem_0"),
                new(@"backbone\.stem\.norm", "", Prefix + "stem_1"),
                new(@"backbone\.stage(\d)\.down", match => new($"{Stage(match.Number(1))}downsample.1", "")),
                new(@"backbone\.stage(\d)\.down\.norm", match => new("", $"{Stage(match.Number(1))}downsample.0")),
                new(@"backbone\.stage(\d)\.(\d+)\.(\w+)", match =>
                {
                    string block = $"{Stage(match.Number(1))}blocks.{match.Number(2)}";
                    return match.Groups[3].Value switch
                    {
                        "scale" => new("", block),
                        "norm" => new("", block + ".norm"),
                        "window" => new(block + ".conv_dw", ""),
                        "response" => new("", block + ".mlp.grn"),
                        string linear => new($"{block}.mlp.{linear}", ""),
                    };
                }),
            ],
            Stem);

        int Channels(int stage) => search.OutputsOrNone($"{Prefix}stages_{stage}.downsample.1.weight");
    }

    private static string Stage(int number) => $"{Prefix}stages_{number - 1}.";

    private static string Block(int stage, int block) => $"{Prefix}stages_{stage}.blocks.{block}.";
}
