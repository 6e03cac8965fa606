using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// yassouali/pytorch-segmentation's DeepLabV3+ and its fork ArronHZG/segmentation-pytorch: the same modules under the
/// same names ("ASSP"), align_corners=true everywhere. The fork renamed one layer, swapped the decoder's concatenation
/// and took another activation.
/// </summary>
internal abstract class AsspLineage : Dialect
{
    /// <summary>The low-level projection in the decoder: the one name by which the two can be told apart.</summary>
    protected abstract LayerNames LowLevel { get; }

    /// <summary>
    /// Of the backbone and of the decoder's 3x3 convolutions; ASPP and the low-level projection have ReLU.
    /// </summary>
    protected abstract Activation Activation { get; }

    /// <summary>Concatenation order in the decoder.</summary>
    protected abstract bool LowLevelFirst { get; }

    /// <summary>
    /// How the training scripts normalise pictures, and the names of the classes where that tells them.
    /// </summary>
    protected abstract (PreprocessingSpec Preprocessing, IReadOnlyList<string> ClassNames) Training(
        NetworkSpec network, DialectChoice choice);

    /// <summary>What a user should know of the repository's own script, a sentence each.</summary>
    protected virtual IReadOnlyList<string> Notes => [];

    public sealed override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, "ASSP.aspp1.0.weight", LowLevel.Convolution + ".weight");

    protected sealed override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        int outputStride = choice.OutputStride(16, 8, 16);
        NamedBackbone backbone =
            NamedBackbone.FindResNet(
                checkpoint, "backbone.", outputStride, DilationRule.Full, stem: "layer0.0", stemNorm: "layer0.1")
            ?? new(Xception65.Spec(outputStride), BackboneNames.Xception("backbone."), "backbone.conv1.weight");
        int[] rates = choice.Rates(checkpoint, outputStride, branch => [$"ASSP.aspp{branch + 1}.0.weight"]);
        var network = new NetworkSpec
        {
            Backbone = backbone.Spec with { Activation = Activation },
            Head = HeadShapes.V3Plus(rates, Sampling.AlignCorners) with
            {
                Activation = Activation,
                LowLevelFirst = LowLevelFirst,
            },
            OutputStride = outputStride,
            InputChannels = checkpoint.InputChannels(backbone.Stem),
            Classes = checkpoint.Outputs("decoder.output.7.weight"),
            FinalSampling = Sampling.AlignCorners,
        };
        (PreprocessingSpec preprocessing, IReadOnlyList<string> classNames) = Training(network, choice);
        return new ModelDescription
        {
            Network = network,
            Names = new NameMap(
            [
                .. backbone.Names,
                HeadNames.BranchesFromOne("ASSP.aspp", ".0", ".1"),
                new(@"aspp\.pool", "ASSP.avg_pool.1", "ASSP.avg_pool.2"),
                new(@"aspp\.project", "ASSP.conv1", "ASSP.bn1"),
                new(@"decoder\.low_level", LowLevel.Convolution, LowLevel.Norm),
                new(@"decoder\.fuse0", "decoder.output.0", "decoder.output.1"),
                new(@"decoder\.fuse1", "decoder.output.3", "decoder.output.4"),
                new("classifier", "decoder.output.7"),
            ]),
            Preprocessing = preprocessing,
            ClassNames = classNames,
            Notes = Notes,
            TrainingOnly = NamedBackbone.ImageClassifier("backbone."),
            ReadWhole = ["backbone.", "ASSP.", "decoder."],
        };
    }
}
