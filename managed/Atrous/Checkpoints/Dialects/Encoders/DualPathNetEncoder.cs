using System.Globalization;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>DPN-68 to DPN-131 as Cadene named them: features.conv{stage + 1}_{block}.</summary>
internal static class DualPathNetEncoder
{
    private const string Prefix = "encoder.features.", Stem = Prefix + "conv1_1.conv.weight";

    /// <summary>The statistics that the original's weights were trained with.</summary>
    private static readonly PreprocessingSpec Statistics = Normalisation.Of(
        [124 / 255f, 117 / 255f, 104 / 255f], [.. Enumerable.Repeat(1 / (0.0167f * 255), 3)]);

    public static NamedBackbone? Find(EncoderSearch search)
    {
        if (!search.Has(Stem, Kernel(1, 0, "c1x1_w_s1")))
            return null;
        int[] blocks = BackboneShapes.CountBlocks(search.File, (stage, block) => Kernel(stage, block, "c3x3_b"));
        bool twoEnds = search.Has($"{Prefix}conv2_1.c1x1_c1.weight");
        DilationPlan.Stage[] plan = BackboneShapes.ResNetStages(search.OutputStride, DilationRule.Full);
        DualPathStage[] all = [.. blocks.Select((count, i) => Stage(search, i + 1, count, twoEnds, plan[i]))];
        int[] channels = [.. all.Select(stage => stage.Width + (2 + stage.Blocks) * stage.Growth)];
        int depth = search.Depth(channels[1..]), stages = depth - 1;
        return new(
            new DualPathNetSpec
            {
                Name = $"DPN-{3 * blocks.Sum() + 2}",
                NormEpsilon = 1e-3,
                StemKernel = search.File.KernelSize(Stem),
                Stages = [.. all.Take(stages)],
                TwoEnds = twoEnds,
                LastNorm = depth == 5,
            },
            [
                new(@"backbone\.stem", Prefix + "conv1_1.conv", Prefix + "conv1_1.bn"),
                new(@"backbone\.norm", "", Prefix + "conv5_bn_ac.bn"),
                new(@"backbone\.stage(\d)\.(\d+)\.(residual|dense)", match => new(
                    Block(match.Number(1), match.Number(2))
                        + (match.Groups[3].Value == "residual" ? "c1x1_c1" : "c1x1_c2"), "")),
                HeadNames.Parts(
                    @"backbone\.stage(\d)\.(\d+)\.(project|reduce|window|expand)",
                    match => Block(match.Number(1), match.Number(2)) + Part(match.Groups[3].Value, match.Number(1)),
                    ".conv", ".bn"),
            ],
            Stem)
        {
            Unused = depth == 5
                ? []
                : [Prefix + "conv5_", .. EncoderSearch.After(stages, stage => $"{Prefix}conv{stage + 1}_")],
            Preprocessing = Statistics,
        };
    }

    private static DualPathStage Stage(
        EncoderSearch search, int stage, int blocks, bool twoEnds, DilationPlan.Stage plan)
    {
        // The projection makes the width and twice the growth, a block's end the width and the growth.
        int projected = search.Outputs(Kernel(stage, 0, Part("project", stage)));
        if (twoEnds)
        {
            int width = search.Outputs($"{Block(stage, 0)}c1x1_c1.weight");
            return new(blocks, width, (projected - width) / 2, plan);
        }
        int growth = projected - search.Outputs(Kernel(stage, 0, "c1x1_c"));
        return new(blocks, projected - 2 * growth, growth, plan);
    }

    private static string Block(int stage, int block) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}conv{stage + 1}_{block + 1}.");

    private static string Kernel(int stage, int block, string part) => $"{Block(stage, block)}{part}.conv.weight";

    private static string Part(string layer, int stage) => layer switch
    {
        "project" => stage == 1 ? "c1x1_w_s1" : "c1x1_w_s2",
        "reduce" => "c1x1_a",
        "window" => "c3x3_b",
        _ => "c1x1_c",
    };
}
