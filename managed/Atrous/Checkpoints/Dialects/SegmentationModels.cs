using Atrous.Checkpoints.Dialects.Encoders;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// segmentation_models.pytorch: DeepLabV3 and DeepLabV3+ on the encoders of <see cref="EncoderFamily.All"/>; rates
/// 12,24,36 at every output stride unless told otherwise, align_corners=true but in image pooling. Its arguments are
/// read where the file has them (<see cref="SegmentationModelsConfig"/>). The original refuses sizes that its output
/// stride does not divide; here any size works.
/// </summary>
internal sealed class SegmentationModels : Dialect
{
    private const string V3 = "decoder.aspp.", V3Legacy = "decoder.0.", V3Plus = "decoder.aspp.0.";
    private const string FirstBranch = "convs.0.0.weight", Classifier = "segmentation_head.0.weight";

    public override string Name => "segmentation_models.pytorch";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, V3Plus + FirstBranch, Classifier)
        ?? Evidence.Keys(checkpoint, V3 + FirstBranch, Classifier)
        ?? Evidence.Keys(checkpoint, V3Legacy + FirstBranch, Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        string aspp = Array.Find([V3Plus, V3, V3Legacy], prefix => checkpoint.Has(prefix + FirstBranch))!;
        bool plus = aspp == V3Plus;
        ConvolutionStyle style =
            HeadShapes.Style(checkpoint, aspp + "convs.1.0.0.weight", ConvolutionStyle.Separable);
        // What the weights alone tell of the encoder is what the file's own words are checked against.
        NamedBackbone probe =
            Encoder(checkpoint, new DialectChoice(), aspp, 16, new JsonFacts(checkpoint.Path, "", null));
        int channels = checkpoint.InputChannels(probe.Stem), classes = checkpoint.Outputs(Classifier);
        SegmentationModelsConfig config = SegmentationModelsConfig.Of(checkpoint, new(
            plus, probe.Spec.Name, channels, classes, checkpoint.Outputs(aspp + FirstBranch),
            style == ConvolutionStyle.Separable, Classifier,
            said => Encoder(checkpoint, new DialectChoice(), aspp, 16, said.Only("encoder_depth"))));
        int outputStride = choice.OutputStride(config.OutputStride(plus ? 16 : 8), 8, 16);
        NamedBackbone backbone = Encoder(checkpoint, choice, aspp, outputStride, config.Facts);
        var pyramid = new AsppSpec
        {
            Rates = choice.Numbers(
                "rates",
                HeadShapes.StatedRates(
                    checkpoint, 3,
                    branch => [$"{aspp}convs.{branch}.0.0.weight", $"{aspp}convs.{branch}.0.weight"]) ?? config.Rates,
                "decoder_atrous_rates, of the three atrous branches"),
            Style = style,
        };
        // The decoder of V3+ has a quarter of the picture's size, whatever the output stride.
        int whole = plus ? 4 : config.EncoderDepth == 3 ? 8 : outputStride;
        int upsampling = choice.Numbers(
            "upsampling", config.Upsampling(whole).As(factor => new[] { factor }),
            "factor by which the scores are enlarged before they get the picture's size")[0];
        if (classes > 1)
            choice.IsMultiLabel(config.MultiLabel);
        var statistics = StatisticsBuffers.Of(checkpoint, channels);
        (PreprocessingSpec preprocessing, IReadOnlyList<string> notes) =
            statistics.Apply(
                backbone.Preprocessing.For(channels), checkpoint, backbone.Stem, choice, ofNotebooks: true);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = plus
                    ? new DeepLabV3PlusHeadSpec
                    {
                        Aspp = pyramid,
                        AfterAspp = true,
                        FuseConvolutions = 1,
                        Style = ConvolutionStyle.Separable,
                        Sampling = Sampling.AlignCorners,
                    }
                    : new DeepLabV3HeadSpec { Aspp = pyramid, Hidden = ConvolutionStyle.Dense },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.AlignCorners,
                Padding = backbone.Padding,
                Forward = upsampling == whole ? ForwardResult.InputSize : new ForwardResult(upsampling),
            },
            Names = new NameMap(
            [
                .. backbone.Names,
                .. HeadNames.Aspp(aspp),
                .. HeadNames.Window(@"decoder\.after_aspp", "decoder.aspp.1", "decoder.aspp.2"),
                new(@"decoder\.low_level", "decoder.block1.0", "decoder.block1.1"),
                .. HeadNames.Window(@"decoder\.fuse0", "decoder.block2.0", "decoder.block2.1"),
                aspp == V3Legacy ? new("head", "decoder.1", "decoder.2") : new("head", "decoder.conv", "decoder.bn"),
                new("classifier", "segmentation_head.0"),
            ]),
            Preprocessing = preprocessing,
            PreprocessingSource = statistics.IsComplete ? Switch.File : Switch.Assumed,
            ClassNames = checkpoint.ConfigClassNames(classes) is { Length: > 0 } names ? names : config.ClassNames,
            Notes = [.. config.Notes, .. backbone.Notes, .. notes],
            TrainingOnly = ["classification_head.", .. statistics.Names, .. backbone.Unused],
            ReadWhole = ["encoder.", "decoder.", "segmentation_head."],
        };
    }

    private static NamedBackbone Encoder(
        ICheckpoint checkpoint, DialectChoice choice, string aspp, int outputStride, JsonFacts said)
    {
        int features = checkpoint.InputChannels(aspp + FirstBranch);
        // The decoder of V3 was renamed in version 0.5; V3Plus's names never changed.
        bool? old = aspp == V3Plus ? null : aspp == V3Legacy;
        return EncoderFamily.Of(new EncoderSearch(checkpoint, choice, outputStride, features, said, old));
    }
}
