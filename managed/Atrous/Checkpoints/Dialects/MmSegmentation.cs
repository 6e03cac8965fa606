using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// mmsegmentation: DeepLabV3 and DeepLabV3+ with ResNetV1c (three 3x3 convolutions for a stem), ASPP of 512 channels
/// with the pooled branch first and a 3x3 convolution after it. DeepLabV3+ has separable convolutions with batch norms
/// between.
/// </summary>
internal sealed class MmSegmentation : Dialect
{
    private const string Head = "decode_head.aspp_modules.0.conv.weight", Classifier = "decode_head.conv_seg.weight";
    private const string DeepStem = "backbone.stem.0.weight";

    public override string Name => "mmsegmentation";

    public override string? Recognise(ICheckpoint checkpoint) => Evidence.Keys(checkpoint, Head, Classifier);

    // BaseDecodeHead's own where out_channels is 1 and the config has none.
    protected override double ThresholdOf(ICheckpoint checkpoint) => 0.3;

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool plus = checkpoint.Has("decode_head.c1_bottleneck.conv.weight");
        int outputStride = choice.OutputStride(8, 8, 16);
        ResNetSpec backbone = Backbone(checkpoint, outputStride);
        int classes = checkpoint.Outputs(Classifier);
        int channels = checkpoint.InputChannels(DeepStem);
        Sampling sampling = choice.AlignCorners(
            false, "every resize aligns corners: the 769x769 configurations do, the others do not");
        AsppSpec aspp = HeadShapes.Aspp(AsppSpec.StandardRates(outputStride), sampling) with
        {
            Style = plus ? ConvolutionStyle.SeparableNormed : ConvolutionStyle.Dense,
            PoolFirst = true,
            ProjectionKernel = 3,
        };
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone,
                Head = plus
                    ? new DeepLabV3PlusHeadSpec { Aspp = aspp, Style = aspp.Style, Sampling = sampling }
                    : new DeepLabV3HeadSpec { Aspp = aspp },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = sampling,
            },
            Names = new NameMap(
            [
                new(@"backbone\.stem\.conv1", "backbone.stem.0", "backbone.stem.1"),
                new(@"backbone\.stem\.conv2", "backbone.stem.3", "backbone.stem.4"),
                new(@"backbone\.stem\.conv3", "backbone.stem.6", "backbone.stem.7"),
                .. BackboneNames.ResNet("backbone."),
                Module(@"aspp\.branch(\d)", "aspp_modules.$1"),
                Module(@"aspp\.branch(\d)\.(depthwise|pointwise)", "aspp_modules.$1.$2_conv"),
                Module(@"aspp\.pool", "image_pool.1"),
                Module(@"aspp\.project", "bottleneck"),
                Module(@"decoder\.low_level", "c1_bottleneck"),
                Module(@"decoder\.fuse(\d)\.(depthwise|pointwise)", "sep_bottleneck.$1.$2_conv"),
                new("classifier", "decode_head.conv_seg"),
            ]),
            // mean (123.675, 116.28, 103.53) and std (58.395, 57.12, 57.375) on 0..255 are ImageNet's on 0..1.
            Preprocessing = Normalisation.ImageNet(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Cityscapes, ClassNames.Voc),
            TrainingOnly = ["auxiliary_head."],
        };
    }

    private static NameMap.Row Module(string pattern, string name) =>
        new(pattern, $"decode_head.{name}.conv", $"decode_head.{name}.bn");

    private static ResNetSpec Backbone(ICheckpoint checkpoint, int outputStride) =>
        checkpoint.Has(DeepStem, "backbone.layer1.0.conv3.weight")
            ? BackboneShapes.ResNet(checkpoint, "backbone.", outputStride, DilationRule.FirstBlockPrevious) with
            {
                StemConvolutions = 3,
            }
            : throw NamedBackbone.Unknown(
                checkpoint, "mmsegmentation's DeepLab head on a backbone",
                "ResNetV1c with bottleneck blocks (r50 and r101, \"d8\")");
}
