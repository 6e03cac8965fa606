using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// bubbliiiing/deeplabv3-plus-pytorch: DeepLabV3+ with MobileNetV2 and Xception, a bias in every convolution of the
/// head, low-level features last, align_corners=true; pictures are letterboxed and probabilities resized.
/// </summary>
internal sealed class Bubbliiiing : Dialect
{
    public override string Name => "bubbliiiing";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, "aspp.branch1.0.weight", "shortcut_conv.0.weight");

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        int outputStride = choice.OutputStride(16, 8, 16);
        NamedBackbone backbone = checkpoint.Has("backbone.block20.skip.weight")
            ? new(
                Xception65.TappedInBlock2(outputStride), BackboneNames.XceptionByConvolution("backbone."),
                "backbone.conv1.weight")
            : new(
                BackboneShapes.MobileNetV2(outputStride, DilationRule.FirstBlockPrevious) with { LowLevelBlock = 3 },
                BackboneNames.MobileNetV2(_ => "backbone.features.", flat: true),
                "backbone.features.0.0.weight");
        int channels = checkpoint.InputChannels(backbone.Stem);
        int classes = checkpoint.Outputs("cls_conv.weight");
        DeepLabV3PlusHeadSpec head = HeadShapes.V3Plus(
            choice.Rates(checkpoint, outputStride, branch => [$"aspp.branch{branch + 1}.0.weight"]),
            Sampling.AlignCorners);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = head with { Aspp = head.Aspp with { Bias = true }, Bias = true },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.AlignCorners,
                SoftmaxBeforeResize = true,
            },
            Names = new NameMap(
            [
                .. backbone.Names,
                HeadNames.BranchesFromOne("aspp.branch", ".0", ".1"),
                new(@"aspp\.pool", "aspp.branch5_conv", "aspp.branch5_bn"),
                new(@"aspp\.project", "aspp.conv_cat.0", "aspp.conv_cat.1"),
                new(@"decoder\.low_level", "shortcut_conv.0", "shortcut_conv.1"),
                new(@"decoder\.fuse0", "cat_conv.0", "cat_conv.1"),
                new(@"decoder\.fuse1", "cat_conv.4", "cat_conv.5"),
                new("classifier", "cls_conv"),
            ]),
            Preprocessing = Normalisation.None(channels) with
            {
                Resize = new ResizePolicy.Letterbox(512, 512, Fill: 128),
                Filter = ResizeFilter.Bicubic,
            },
            // Its published weights have the classes of VOC.
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc),
            TrainingOnly = NamedBackbone.ImageClassifier("backbone."),
            ReadWhole = ["backbone.", "aspp.", "shortcut_conv.", "cat_conv.", "cls_conv."],
        };
    }
}
