using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>A backbone as one file has it.</summary>
/// <param name="Spec">The network that the weights fill.</param>
/// <param name="Names">How the file names its layers.</param>
/// <param name="Stem">The key of its first kernel, which has the picture's channels.</param>
internal sealed record NamedBackbone(BackboneSpec Spec, NameMap.Row[] Names, string Stem)
{
    /// <summary>Prefixes of its tensors that the file has and the network leaves unread.</summary>
    public IReadOnlyList<string> Unused { get; init; } = [];

    /// <summary>
    /// Zeros around its convolutions' inputs. A head's, which have no strides, are the same in every style.
    /// </summary>
    public PaddingStyle Padding { get; init; }

    /// <summary>What a user should know of it, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What its published weights were trained with, for pictures of three channels.</summary>
    public PreprocessingSpec Preprocessing { get; init; } = PreprocessingSpec.ImageNet;

    /// <summary>
    /// The layers behind a backbone that was taken as it is, which score pictures and which no segmentation reads:
    /// a head that read MobileNetV2's last convolution would have other channels.
    /// </summary>
    /// <param name="prefix">What the file's names of the backbone begin with.</param>
    public static string[] ImageClassifier(string prefix) =>
        [prefix + "fc.", prefix + "classifier.", prefix + "last_linear.", prefix + "features.18."];

    /// <summary>The switch of the dilations inside the last stage, by which the stage's own is multiplied.</summary>
    public static int[] MultiGrid(DialectChoice choice, string code) =>
        choice.Numbers("multi_grid", (int[])[1, 2, 4], $"dilations of the last stage's blocks; {code}", count: 3);

    /// <summary>torchvision's ResNet under a prefix ("backbone."), or null where the file has none there.</summary>
    public static NamedBackbone? FindResNet(
        IWeightSource weights, string prefix, int outputStride, DilationRule rule, string stem = "conv1",
        string stemNorm = "bn1") =>
        weights.Has($"{prefix}layer1.0.conv1.weight")
            ? new(
                BackboneShapes.ResNet(weights, prefix, outputStride, rule),
                BackboneNames.ResNet(prefix, stem, stemNorm),
                $"{prefix}{stem}.weight")
            : null;

    /// <summary>The same with <see cref="BackboneNames.DeepStem"/>; null where the file has none there.</summary>
    public static NamedBackbone? FindDeepResNet(
        IWeightSource weights, string prefix, int outputStride, DilationRule rule)
    {
        if (FindResNet(weights, prefix, outputStride, rule, stem: "conv1.0") is not { Spec: ResNetSpec spec } found)
            return null;
        return found with
        {
            Spec = spec with { StemConvolutions = 3 },
            Names = [.. BackboneNames.DeepStem(prefix), .. found.Names],
        };
    }

    /// <summary>The error for a file that has a dialect's head on an unknown backbone.</summary>
    /// <param name="checkpoint">The file, which the message names.</param>
    /// <param name="found">What the file has: "VainF's head on a backbone".</param>
    /// <param name="known">The backbones that the dialect has here, as a list in words.</param>
    public static ModelException Unknown(ICheckpoint checkpoint, string found, string known) => new(
        $"'{checkpoint.Path}' has {found} that Atrous does not have{Kinship.OfBackbone(checkpoint)}; it has {known}.");
}
