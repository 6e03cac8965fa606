using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// timm-efficientnet-b0 to l2 and timm-tf_efficientnet_lite0 to 4: timm's blocks in the original's own class, which
/// dilates them by its own rule and pads symmetrically, though the weights come from TensorFlow.
/// </summary>
internal static class TimmEfficientNetEncoder
{
    private const string Prefix = "encoder.", Stem = Prefix + "conv_stem";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(Stem + ".weight", Prefix + "blocks.0.0.conv_dw.weight"))
            return null;
        if (TimmBlocks.Stages(search, Prefix) is not { } stages
            || TimmBlocks.Kernels(stages) != EfficientNets.Kernels || EfficientNetSize.Of(stages) is not { } size)
            return null;
        bool lite = TimmBlocks.Gates(stages) == "0000000";
        if (!lite && TimmBlocks.Gates(stages) != "1111111")
            return null;
        NamedBackbone found = InvertedResidualEncoder.Build(
            search, lite ? EfficientNets.Lite(size) : EfficientNets.Spec(size),
            InvertedResidualEncoder.Levels(stages, EfficientNets.LevelStarts), DilationRule.Full,
            new LayerNames(Stem, Prefix + "bn1"));
        return found with
        {
            Unused = [.. found.Unused, Prefix + "conv_head.", Prefix + "bn2."],
            Preprocessing = EncoderStatistics.Of(search, isHalf: lite),
        };
    }
}
