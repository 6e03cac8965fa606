using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// segmentation_models.pytorch: DeepLabV3 and DeepLabV3+ with ResNet-18..152 or MobileNetV2 as torchvision names them;
/// rates 12,24,36 at every output stride, align_corners=true but in image pooling. A folder's config.json settles the
/// output stride and the rates. The original refuses sizes that its output stride does not divide; here any size works.
/// </summary>
internal sealed class SegmentationModels : Dialect
{
    private const string V3 = "decoder.aspp.", V3Legacy = "decoder.0.", V3Plus = "decoder.aspp.0.";
    private const string FirstBranch = "convs.0.0.weight", Classifier = "segmentation_head.0.weight";
    private const string MobileNetStem = "encoder.features.0.0.weight", ResNetStem = "encoder.conv1.weight";

    public override string Name => "segmentation_models.pytorch";

    public override string? Recognise(ICheckpoint checkpoint) =>
        checkpoint.Evidence(V3Plus + FirstBranch, Classifier)
        ?? checkpoint.Evidence(V3 + FirstBranch, Classifier)
        ?? checkpoint.Evidence(V3Legacy + FirstBranch, Classifier);

    public override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        string aspp =
            Array.Find([V3Plus, V3, V3Legacy], prefix => checkpoint.Weights.ContainsKey(prefix + FirstBranch))!;
        bool plus = aspp == V3Plus, mobile = checkpoint.Weights.ContainsKey(MobileNetStem);
        int outputStride =
            choice.OutputStride(checkpoint.ConfigNumber("encoder_output_stride") ?? (plus ? 16 : 8), 8, 16);
        BackboneSpec backbone = mobile ? MobileNet(outputStride) : ResNet(checkpoint, outputStride);
        int channels = checkpoint.InputChannels(mobile ? MobileNetStem : ResNetStem);
        var pyramid = new AsppSpec
        {
            Rates = checkpoint.ConfigNumbers("decoder_atrous_rates") ?? [12, 24, 36],
            Style = checkpoint.Weights.ContainsKey(aspp + "convs.1.0.0.weight")
                ? ConvolutionStyle.Separable
                : ConvolutionStyle.Dense,
        };
        return new ModelDescription
        {
            Dialect = Name,
            Evidence = Recognise(checkpoint)!,
            Network = new NetworkSpec
            {
                Backbone = backbone,
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
            },
            Names = new NameMap(
            [
                .. mobile ? BackboneNames.MobileNetV2(_ => "encoder.features.") : BackboneNames.ResNet("encoder."),
                .. HeadNames.Aspp(aspp),
                .. HeadNames.Window(@"decoder\.after_aspp", "decoder.aspp.1", "decoder.aspp.2"),
                new(@"decoder\.low_level", "decoder.block1.0", "decoder.block1.1"),
                .. HeadNames.Window(@"decoder\.fuse0", "decoder.block2.0", "decoder.block2.1"),
                aspp == V3Legacy ? new("head", "decoder.1", "decoder.2") : new("head", "decoder.conv", "decoder.bn"),
                new("classifier", "segmentation_head.0"),
            ]),
            Preprocessing = Normalisation.ImageNet(channels),
            Switches = choice.Switches,
            // Lightning modules keep the statistics of the pre-processing as buffers "mean" and "std".
            TrainingOnly = ["classification_head.", "mean", "std"],
        };
    }

    private static ResNetSpec ResNet(ICheckpoint checkpoint, int outputStride) =>
        BackboneShapes.FindResNet(checkpoint, "encoder.", outputStride, DilationRule.Full)
        ?? throw new ModelException(
            $"'{checkpoint.Path}' has the head of segmentation_models.pytorch's DeepLab on an encoder that Atrous " +
            $"does not " +
            "have; it has resnet18 to resnet152 and mobilenet_v2.");

    private static InvertedResidualSpec MobileNet(int outputStride) => new()
    {
        Name = "MobileNetV2",
        Activation = Activation.Relu6,
        Blocks = BackboneShapes.MobileNetV2(outputStride, DilationRule.Full),
        LastConvolution = true,
        LowLevelBlock = 3,
    };
}
