using System.Text.RegularExpressions;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>GENet (Lin et al. 2020, arXiv:2006.14090) as timm names it.</summary>
internal static class GerNetEncoder
{
    private const int AllStages = 5;

    /// <summary>Old versions put a dot before a stage's number and new ones a line.</summary>
    public static NamedBackbone? Find(EncoderSearch search) =>
        Array.Find(["stages_", "stages."], name => search.FindTimm($"{name}0.0.conv1_kxk.conv.weight") is not null)
            is { } stages
            ? Describe(search, search.FindTimm($"{stages}0.0.conv1_kxk.conv.weight")!.Value, stages)
            : null;

    private static NamedBackbone Describe(
        EncoderSearch search, (string Prefix, DilationRule Rule) place, string stageName)
    {
        string Stage(int stage) => $"{place.Prefix}{stageName}{stage}.";
        int basic = Enumerable.Range(0, AllStages).Count(stage => search.Has($"{Stage(stage)}0.conv1_kxk.conv.weight"));
        int[] blocks = BackboneShapes.CountBlocks(
            search.File, (stage, block) => $"{Stage(stage - 1)}{block}.conv2_kxk.conv.weight", AllStages);
        string last = $"{place.Prefix}final_conv.conv.weight";
        int Channels(int stage) =>
            search.Outputs($"{Stage(stage)}0.{(stage < basic ? "conv2_kxk" : "conv3_1x1")}.conv.weight");
        int[] features = [Channels(1), .. blocks[2] > 0 ? [Channels(2)] : (int[])[],
            .. search.Has(last) ? [search.Outputs(last)] : (int[])[]];
        int depth = search.Depth(features), stages = depth == 5 ? AllStages : depth - 1;
        DilationPlan.Stage[] plan = DilationPlan.Of(2, [2, 2, 2, 2, 1], search.OutputStride, place.Rule);
        // Both of the last stages have the same size, and timm halves the dilation in the first block of each.
        plan[4] = plan[4] with { FirstDilation = plan[3].FirstDilation };
        return new(
            new ResNetSpec
            {
                Name = "GENet",
                Blocks = [.. blocks.Take(stages)],
                Stages = [.. plan.Take(stages)],
                BasicStages = basic,
                SmallStem = true,
                LastConvolution = depth == 5,
            },
            [
                new(@"backbone\.stem\.conv1", place.Prefix + "stem.conv", place.Prefix + "stem.bn"),
                new(@"backbone\.last", place.Prefix + "final_conv.conv", place.Prefix + "final_conv.bn"),
                HeadNames.Parts(
                    @"backbone\.stage(\d)\.(\d+)\.(conv\d|shortcut)", match => Block(match) + Layer(match), ".conv",
                    ".bn"),
            ],
            $"{place.Prefix}stem.conv.weight")
        {
            Unused = depth == 5
                ? []
                : [last[..^"conv.weight".Length], .. Enumerable.Range(stages, AllStages - stages).Select(Stage)],
        };

        string Block(Match match) => $"{Stage(match.Number(1) - 1)}{match.Groups[2].Value}.";

        string Layer(Match match) => match.Groups[3].Value switch
        {
            "conv1" => match.Number(1) <= basic ? "conv1_kxk" : "conv1_1x1",
            "conv2" => "conv2_kxk",
            "conv3" => "conv3_1x1",
            string shortcut => shortcut,
        };
    }
}
