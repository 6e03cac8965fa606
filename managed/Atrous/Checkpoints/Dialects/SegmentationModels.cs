using Atrous.Checkpoints.Dialects.Encoders;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// segmentation_models.pytorch: DeepLabV3 and DeepLabV3+ on the encoders of <see cref="EncoderFamily.All"/>;
/// rates 12,24,36 at every output stride, align_corners=true but in image pooling. A folder's config.json settles the
/// output stride and the rates. The original refuses sizes that its output stride does not divide; here any size works.
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
        int outputStride =
            choice.OutputStride(checkpoint.ConfigNumber("encoder_output_stride") ?? (plus ? 16 : 8), 8, 16);
        int features = checkpoint.InputChannels(aspp + FirstBranch);
        // The decoder of V3 was renamed in version 0.5; V3Plus's names never changed.
        bool? old = plus ? null : aspp == V3Legacy;
        NamedBackbone backbone =
            EncoderFamily.Of(new EncoderSearch(checkpoint, choice, outputStride, features, old));
        int channels = checkpoint.InputChannels(backbone.Stem);
        var pyramid = new AsppSpec
        {
            Rates = checkpoint.ConfigNumbers("decoder_atrous_rates") ?? [12, 24, 36],
            Style = HeadShapes.Style(checkpoint, aspp + "convs.1.0.0.weight", ConvolutionStyle.Separable),
        };
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
                Classes = checkpoint.Outputs(Classifier),
                FinalSampling = Sampling.AlignCorners,
                Padding = backbone.Padding,
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
            Preprocessing = backbone.Preprocessing.For(channels),
            // Lightning modules keep the statistics of the pre-processing as buffers "mean" and "std".
            TrainingOnly = ["classification_head.", "mean", "std", .. backbone.Unused],
            ReadWhole = ["encoder.", "decoder."],
        };
    }
}
