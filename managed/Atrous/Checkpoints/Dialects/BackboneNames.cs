using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>How files name the layers of backbones that many repositories share.</summary>
internal static class BackboneNames
{
    /// <summary>
    /// torchvision's ResNet under a prefix ("backbone."): layer{stage}.{block}.conv{n} and bn{n}, downsample.0 and .1.
    /// The stem is given apart, since its names differ.
    /// </summary>
    public static NameMap.Row[] ResNet(string prefix, string stem = "conv1", string stemNorm = "bn1") =>
    [
        new(@"backbone\.stem\.conv1", prefix + stem, prefix + stemNorm),
        new(@"backbone\.stage(\d)\.(\d+)\.conv(\d)", prefix + "layer$1.$2.conv$3", prefix + "layer$1.$2.bn$3"),
        new(
            @"backbone\.stage(\d)\.(\d+)\.shortcut",
            prefix + "layer$1.$2.downsample.0", prefix + "layer$1.$2.downsample.1"),
    ];

    /// <summary>
    /// Three convolutions of a stem, the first two with their norms in the sequence "conv1", the last one's norm behind
    /// it.
    /// </summary>
    public static NameMap.Row[] DeepStem(string prefix) =>
    [
        new(@"backbone\.stem\.conv1", prefix + "conv1.0", prefix + "conv1.1"),
        new(@"backbone\.stem\.conv2", prefix + "conv1.3", prefix + "conv1.4"),
        new(@"backbone\.stem\.conv3", prefix + "conv1.6", prefix + "bn1"),
    ];

    /// <summary>
    /// torchvision's MobileNetV2: features.0 is the stem, block i is features.i; conv.0.0/conv.0.1 expansion,
    /// conv.1.0/conv.1.1 depthwise, conv.2/conv.3 projection, one less each where there is no expansion. Where
    /// <paramref name="flat"/>: conv.0, 1, 3, 4, 6, 7.
    /// </summary>
    /// <param name="features">The module that holds block i, with a trailing dot.</param>
    /// <param name="flat">The names of older forks, with activations counted in one flat sequence.</param>
    /// <param name="firstExpands">Block 1 has an expansion too.</param>
    public static NameMap.Row[] MobileNetV2(Func<int, string> features, bool flat = false, bool firstExpands = false) =>
    [
        new(@"backbone\.stem", _ => new($"{features(0)}0.0", $"{features(0)}0.1")),
        new(@"backbone\.block(\d+)\.(expand|depthwise|project)", match =>
        {
            int block = match.Number(1);
            int part = match.Groups[2].Value switch { "expand" => 0, "depthwise" => 1, _ => 2 };
            int index = block == 1 && !firstExpands ? part - 1 : part;
            string conv = $"{features(block)}{block}.conv.";
            if (flat)
                return new($"{conv}{3 * index}", $"{conv}{3 * index + 1}");
            return part == 2
                ? new($"{conv}{index}", $"{conv}{index + 1}")
                : new($"{conv}{index}.0", $"{conv}{index}.1");
        }),
        new(@"backbone\.last", _ => new($"{features(18)}18.0", $"{features(18)}18.1")),
    ];

    /// <summary>
    /// Cadene's Xception: block{i}.rep is a flat sequence of activation, separable convolution, norm; a block that
    /// starts without an activation has its indices one lower. A separable convolution is conv1 (depthwise), bn,
    /// pointwise.
    /// </summary>
    /// <param name="prefix">What the file's names of the backbone begin with: "backbone.".</param>
    /// <param name="unactivated">The number of leading blocks that start without an activation.</param>
    public static NameMap.Row[] Xception(string prefix, int unactivated = 1) =>
    [
        new(@"backbone\.stem\.conv(\d)", prefix + "conv$1", prefix + "bn$1"),
        new(@"backbone\.block(\d+)\.shortcut", prefix + "block$1.skip", prefix + "block$1.skipbn"),
        new(@"backbone\.block(\d+)\.sep(\d)\.(depthwise|pointwise)", match =>
        {
            int block = match.Number(1);
            int index = 3 * (match.Number(2) - 1) + (block <= unactivated ? 0 : 1);
            string rep = $"{prefix}block{block}.rep.";
            return match.Groups[3].Value == "depthwise"
                ? new($"{rep}{index}.conv1", $"{rep}{index}.bn")
                : new($"{rep}{index}.pointwise", $"{rep}{index + 1}");
        }),
        new(@"backbone\.exit(\d)\.(depthwise|pointwise)", match =>
        {
            int index = match.Number(1) + 2;
            return match.Groups[2].Value == "depthwise"
                ? new($"{prefix}conv{index}.conv1", $"{prefix}conv{index}.bn")
                : new($"{prefix}conv{index}.pointwise", $"{prefix}bn{index}");
        }),
    ];

    /// <summary>
    /// Xception whose blocks name their convolutions: block{i}.sepconv{n} is depthwise, bn1, pointwise, bn2, and so are
    /// conv3 to conv5 behind the blocks.
    /// </summary>
    /// <param name="prefix">What the file's names of the backbone begin with: "backbone.".</param>
    public static NameMap.Row[] XceptionByConvolution(string prefix)
    {
        return
        [
            new(
                @"backbone\.block(\d+)\.sep(\d)\.depthwise",
                prefix + "block$1.sepconv$2.depthwise", prefix + "block$1.sepconv$2.bn1"),
            new(
                @"backbone\.block(\d+)\.sep(\d)\.pointwise",
                prefix + "block$1.sepconv$2.pointwise", prefix + "block$1.sepconv$2.bn2"),
            HeadNames.Parts(@"backbone\.exit(\d)\.depthwise", Exit, ".depthwise", ".bn1"),
            HeadNames.Parts(@"backbone\.exit(\d)\.pointwise", Exit, ".pointwise", ".bn2"),
            .. Xception(prefix),
        ];

        string Exit(Match match) => $"{prefix}conv{match.Number(1) + 2}";
    }

    /// <summary>The whole number that a pattern's group has matched.</summary>
    public static int Number(this Match match, int group) =>
        int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
}
