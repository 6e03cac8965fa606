using System.Globalization;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// LiheYoung/UniMatch and its forerunner ST++: DeepLabV3+ with ResNet or Xception, low-level features first,
/// align_corners=true. UniMatch's ResNet has a deep stem, output stride 16 and rates 6, 12, 18; ST++'s has a plain
/// stem, output stride 8 and rates 12, 24, 36.
/// </summary>
internal sealed class UniMatch : Dialect
{
    private const string Branch = "head.b0.0.weight", LowLevel = "reduce.0.weight", Classifier = "classifier.weight";
    private const string Backbone = "backbone.", DeepStem = Backbone + "conv1.0.weight";
    private static readonly int[] Rates = [6, 12, 18], ForerunnersRates = [12, 24, 36];

    public override string Name => "UniMatch";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, Branch, LowLevel, "fuse.0.weight", Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool isXception = checkpoint.Has(Backbone + "block20.skip.weight"), isDeep = checkpoint.Has(DeepStem);
        bool isForerunner = !isXception && !isDeep;
        int outputStride = choice.OutputStride(isForerunner ? 8 : 16, 8, 16);
        int[] rates = choice.Rates(
            checkpoint, isForerunner ? ForerunnersRates : Rates, "6,12,18 in UniMatch and 12,24,36 in ST++",
            branch => [$"head.b{branch}.0.weight"]);
        NamedBackbone backbone =
            (isXception
                ? new(
                    Xception65.TappedInBlock2(outputStride), BackboneNames.XceptionByConvolution(Backbone),
                    Backbone + "conv1.weight")
                : isDeep
                ? NamedBackbone.FindDeepResNet(checkpoint, Backbone, outputStride, DilationRule.FirstBlockPrevious)
                : NamedBackbone.FindResNet(checkpoint, Backbone, outputStride, DilationRule.FirstBlockPrevious))
            ?? throw NamedBackbone.Unknown(checkpoint, "UniMatch's head on a backbone", "ResNet and Xception-65");
        int channels = checkpoint.InputChannels(backbone.Stem), classes = checkpoint.Outputs(Classifier);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = new DeepLabV3PlusHeadSpec
                {
                    Aspp = HeadShapes.Aspp(rates, Sampling.AlignCorners),
                    LowLevelFirst = true,
                    Sampling = Sampling.AlignCorners,
                },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.AlignCorners,
            },
            Names = new NameMap(
            [
                .. backbone.Names,
                new(@"aspp\.branch(\d)", "head.b$1.0", "head.b$1.1"),
                new(@"aspp\.pool", "head.b4.gap.1", "head.b4.gap.2"),
                new(@"aspp\.project", "head.project.0", "head.project.1"),
                new(@"decoder\.low_level", "reduce.0", "reduce.1"),
                new(@"decoder\.fuse(\d)", match => new(
                    Fuse(3 * match.Number(1)), Fuse(3 * match.Number(1) + 1))),
                new("classifier", "classifier"),
            ]),
            Preprocessing = Normalisation.ImageNet(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc, ClassNames.Cityscapes),
            TrainingOnly = NamedBackbone.ImageClassifier(Backbone),
            ReadWhole = [Backbone, "head.", "reduce.", "fuse."],
            Notes = classes == ClassNames.Cityscapes.Count
                ? ["The repository scores pictures of Cityscapes in windows of 801 pixels that step by 534, and sums " +
                    "their probabilities; here they are scored whole. A sliding window of 801 does nearly the same."]
                : [],
        };
    }

    private static string Fuse(int index) => string.Create(CultureInfo.InvariantCulture, $"fuse.{index}");
}
