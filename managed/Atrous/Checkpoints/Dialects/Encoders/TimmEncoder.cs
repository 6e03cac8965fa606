using Atrous.Graph;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// EfficientNets and MobileNets that timm builds: tu-efficientnet_b0, tu-tf_efficientnetv2_s,
/// tu-mobilenetv4_conv_small, timm-mobilenetv3_large_100 (which is tu-tf_mobilenetv3_large_100).
/// </summary>
internal static class TimmEncoder
{
    private const string Prefix = EncoderSearch.Timm, Stem = Prefix + "conv_stem", Norm = Prefix + "bn1.weight";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(Stem + ".weight", Norm) || TimmBlocks.Stages(search, Prefix) is not { Length: > 0 } stages)
            return null;
        string kernels = TimmBlocks.Kernels(stages), gates = TimmBlocks.Gates(stages);
        int heads = TimmBlocks.Heads(stages);
        TimmFamily? family = TimmFamily.All.FirstOrDefault(
            row => row.Kernels == kernels && row.Gates == gates && row.Heads == heads);
        string name = search.Said.Text("encoder_name") ?? "";
        if (family is null || (family.HasRoundGates && !HasRoundGates(search, stages)))
            return null;
        bool original = family.IsOfOriginal && !name.StartsWith("tu-", StringComparison.Ordinal);
        bool tensorFlow = family.TensorFlow is { } usual && search.Choice.Flag(
            "timm_tf", IsTensorFlow(search.File.Weights[Norm]) ?? search.Said.Or(IsTensorFlow(name), usual(stages)),
            "the encoder has tf_ in timm's name: TensorFlow's padding, and 1e-3 in the batch norms");
        DilationRule rule =
            tensorFlow && original ? search.RuleOfVersion() : DilationRule.FirstBlockPrevious;
        for (int i = 0; i < family.ReluStages; i++)
        {
            stages[i] =
            [
                .. stages[i].Select(
                    block => block with { Shape = block.Shape with { Activation = Activation.Relu } }),
            ];
        }
        var spec = new InvertedResidualSpec
        {
            Name = family.Name + (family.IsSized ? EfficientNetSize.Of(stages)?.Suffix : ""),
            Activation = family.Activation,
            Gate = family.Gate,
            NormEpsilon = tensorFlow ? 1e-3 : 1e-5,
            Blocks = [],
        };
        return InvertedResidualEncoder.Build(
            search, spec, InvertedResidualEncoder.Levels(stages, family.LevelStarts), rule,
            new LayerNames(Stem, Prefix + "bn1"), family.PlainSkips, family.FirstSkips) with
        {
            Padding = tensorFlow ? PaddingStyle.TensorFlowSame : PaddingStyle.Symmetric,
            // Those of the original's own name are prepared with ImageNet's statistics, wherever they come from.
            Preprocessing =
                EncoderStatistics.Of(search, isHalf: tensorFlow && !original && family.TensorFlowHalf(stages)),
        };
    }

    /// <summary>What the first norm says where the network was saved whole; null where it was not.</summary>
    private static Standard<bool>? IsTensorFlow(WeightInfo norm) =>
        norm.Layer?.Epsilon is { } epsilon ? new Standard<bool>(epsilon > 1e-4, Switch.Modules) : null;

    /// <summary>What the encoder's name in its arguments says; null where there is none.</summary>
    private static bool? IsTensorFlow(string name) =>
        name.Length == 0 ? null
            : name.Contains("tf_", StringComparison.Ordinal) || name.Contains("_pruned", StringComparison.Ordinal)
            || name.StartsWith("timm-mobilenetv3", StringComparison.Ordinal);

    private static bool HasRoundGates(EncoderSearch search, StoredBlock[][] stages) =>
        stages.SelectMany(stage => stage).Where(block => block.Shape.SqueezeExcite)
            .All(block => search.Outputs(block.Parts[StoredBlock.Reduce].Convolution + ".weight") % 8 == 0);
}
