using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>RegNetX and RegNetY (Radosavovic et al. 2020, arXiv:2003.13678) as timm names them.</summary>
internal static class RegNetEncoder
{
    public static NamedBackbone? Find(EncoderSearch search) => search.FindTimm("s1.b1.conv2.conv.weight") is { } place
        ? Describe(search, place.Prefix, place.Rule)
        : null;

    private static NamedBackbone Describe(EncoderSearch search, string prefix, DilationRule rule)
    {
        int[] blocks = BackboneShapes.CountBlocks(
            search.File, (stage, block) => $"{prefix}s{stage}.b{block + 1}.conv2.conv.weight");
        int depth = search.Depth(Channels(2), Channels(3), Channels(4));
        int stages = depth - 1;
        bool gated = search.Has($"{prefix}s1.b1.se.fc1.weight");
        return new(
            new ResNetSpec
            {
                Name = gated ? "RegNetY" : "RegNetX",
                Blocks = [.. blocks.Take(stages)],
                Stages = [.. DilationPlan.Of(2, [2, 2, 2, 2], search.OutputStride, rule).Take(stages)],
                SmallStem = true,
                Gate = gated ? GateSpec.Standard : null,
                GateInside = true,
            },
            [
                new(@"backbone\.stem\.conv1", prefix + "stem.conv", prefix + "stem.bn"),
                new(@"backbone\.stage(\d)\.(\d+)\.gate\.(reduce|expand)", match =>
                    new(Block(match) + (match.Groups[3].Value == "reduce" ? "se.fc1" : "se.fc2"), "")),
                HeadNames.Parts(
                    @"backbone\.stage(\d)\.(\d+)\.conv(\d)",
                    match => $"{Block(match)}conv{match.Groups[3].Value}", ".conv", ".bn"),
                HeadNames.Parts(
                    @"backbone\.stage(\d)\.(\d+)\.shortcut", match => $"{Block(match)}downsample", ".conv", ".bn"),
            ],
            $"{prefix}stem.conv.weight")
        {
            Unused = EncoderSearch.After(stages, stage => $"{prefix}s{stage}."),
        };

        int Channels(int stage) => search.OutputsOrNone($"{prefix}s{stage}.b1.conv3.conv.weight");

        string Block(Match match) => string.Create(
            CultureInfo.InvariantCulture, $"{prefix}s{match.Groups[1].Value}.b{match.Number(2) + 1}.");
    }
}
