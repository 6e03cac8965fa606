using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// yassouali/pytorch-segmentation: ReLU everywhere, low-level features first. It published no DeepLab weights; its
/// training scripts normalise by the data set's own statistics, which the weights cannot tell.
/// </summary>
internal sealed class Yassouali : AsspLineage
{
    /// <summary>The data sets that its scripts train on, with their statistics on RGB from 0 to 1.</summary>
    private static readonly DataSet[] DataSets =
    [
        new("voc", 21, [0.45734706f, 0.43338275f, 0.40058118f], [0.23965294f, 0.23532275f, 0.2398498f], ClassNames.Voc),
        new("cityscapes", 19, [0.28689529f, 0.32513294f, 0.28389176f], [0.17613647f, 0.18099176f, 0.17772235f],
            ClassNames.Cityscapes),
        new("ade20k", 150, [0.48897059f, 0.46548275f, 0.4294f], [0.22861765f, 0.22948039f, 0.24054667f], []),
        new("coco", 182, [0.43931922f, 0.41310471f, 0.37480941f], [0.24272706f, 0.23649098f, 0.23429529f], []),
    ];

    public override string Name => "yassouali";

    protected override LayerNames LowLevel => new("decoder.conv1", "decoder.bn1");

    protected override Activation Activation => Activation.Relu;

    protected override bool LowLevelFirst => true;

    protected override IReadOnlyList<string> Notes { get; } =
    [
        "The repository's inference.py scores a picture at several scales and averages the scores, in its default " +
        "mode, " +
        "multiscale; one scale is scored here. Test-time augmentation does nearly the same with the scales " +
        "0.75,1,1.25,1.5,1.75,2, and 2.25 too for Cityscapes.",
    ];

    protected override (PreprocessingSpec Preprocessing, IReadOnlyList<string> ClassNames) Training(
        NetworkSpec network, DialectChoice choice)
    {
        DataSet likely = Array.Find(DataSets, set => set.Classes == network.Classes) ?? DataSets[0];
        string[] names = [.. DataSets.Select(set => set.Name)];
        string chosen = choice.OneOf("dataset", likely.Name, names, "whose mean and std normalise the picture");
        DataSet dataSet = DataSets[Array.IndexOf(names, chosen)];
        PreprocessingSpec preprocessing = network.InputChannels == dataSet.Mean.Length
            ? Normalisation.Of(dataSet.Mean, dataSet.Std)
            : Normalisation.ImageNet(network.InputChannels);
        return (preprocessing, ClassNames.OfSize(network.Classes, dataSet.ClassNames));
    }

    private sealed record DataSet(
        string Name, int Classes, float[] Mean, float[] Std, IReadOnlyList<string> ClassNames);
}
