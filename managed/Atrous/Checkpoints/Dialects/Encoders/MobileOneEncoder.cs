using System.Text.RegularExpressions;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>MobileOne as its authors name it, in the form that is trained or merged for inference.</summary>
internal static class MobileOneEncoder
{
    private const string Prefix = "encoder.", Trained = ".rbr_conv.0.conv.weight", Merged = ".reparam_conv.weight";

    public static NamedBackbone? Find(EncoderSearch search)
    {
        bool merged = search.Has($"{Prefix}stage0{Merged}");
        if (!merged && !search.Has($"{Prefix}stage0{Trained}"))
            return null;
        string kernel = merged ? Merged : Trained;
        // A block is two modules: depthwise, pointwise.
        int[] blocks = BackboneShapes.CountBlocks(
            search.File, (stage, block) => $"{Prefix}stage{stage}.{2 * block + 1}{kernel}");
        int stages = search.Depth(Channels(2), Channels(3), Channels(4)) - 1;
        return new(
            new MobileOneSpec
            {
                Name = "MobileOne",
                Blocks = [.. blocks.Take(stages)],
                Stages = [.. DilationPlan.Of(2, [2, 2, 2, 2], search.OutputStride, DilationRule.Full).Take(stages)],
                Branches = search.Count(branch => $"{Prefix}stage1.0.rbr_conv.{branch}.conv.weight"),
                KeepsWidth = [.. Stages(stages, stage => search.Has($"{Prefix}stage{stage}.1.rbr_skip.weight"))],
                Gated = [.. Stages(stages, stage => Enumerable.Range(0, blocks[stage - 1])
                    .Count(block => search.Has($"{Prefix}stage{stage}.{2 * block}.se.reduce.weight")))],
            },
            [
                .. Rows(@"backbone\.stem", _ => $"{Prefix}stage0"),
                .. Rows(@"backbone\.stage(\d)\.(\d+)\.(depthwise|pointwise)", Module),
            ],
            $"{Prefix}stage0{kernel}")
        {
            Unused = EncoderSearch.After(stages, stage => $"{Prefix}stage{stage}."),
        };

        int Channels(int stage) => search.Outputs($"{Prefix}stage{stage}.1{kernel}");
    }

    private static IEnumerable<T> Stages<T>(int stages, Func<int, T> of) => Enumerable.Range(1, stages).Select(of);

    private static string Module(Match match) =>
        $"{Prefix}stage{match.Groups[1].Value}.{2 * match.Number(2) + (match.Groups[3].Value == "depthwise" ? 0 : 1)}";

    private static NameMap.Row[] Rows(string layer, Func<Match, string> module) =>
    [
        HeadNames.Parts(layer, module, ".reparam_conv", ""),
        new(layer + @"\.branch(?<branch>\d)", match =>
        {
            string branch = $"{module(match)}.rbr_conv.{match.Groups["branch"].Value}";
            return new(branch + ".conv", branch + ".bn");
        }),
        HeadNames.Parts(layer + @"\.scale", module, ".rbr_scale.conv", ".rbr_scale.bn"),
        HeadNames.Parts(layer + @"\.skip", module, "", ".rbr_skip"),
        HeadNames.Parts(layer + @"\.gate\.reduce", module, ".se.reduce", ""),
        HeadNames.Parts(layer + @"\.gate\.expand", module, ".se.expand", ""),
    ];
}
