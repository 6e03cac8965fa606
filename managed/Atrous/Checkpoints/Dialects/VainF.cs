using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// VainF/DeepLabV3Plus-Pytorch: DeepLabV3 and DeepLabV3+ with ResNet, MobileNetV2 and a 12-block Xception; ReLU,
/// low-level features first, align_corners=false.
/// </summary>
internal sealed class VainF : Dialect
{
    private const string V3 = "classifier.classifier.0.convs.0.0.weight", V3Plus = "classifier.aspp.convs.0.0.weight";

    public override string Name => "VainF";

    public override string? Recognise(ICheckpoint checkpoint) =>
        checkpoint.Weights.ContainsKey(V3Plus) && checkpoint.Weights.ContainsKey("classifier.project.0.weight")
            ? $"{V3Plus}, classifier.project.0.weight"
            : checkpoint.Weights.ContainsKey(V3) ? V3 : null;

    public override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool plus = checkpoint.Weights.ContainsKey(V3Plus);
        string aspp = plus ? "classifier.aspp." : "classifier.classifier.0.";
        bool separable = checkpoint.Weights.ContainsKey($"{aspp}convs.1.0.body.0.weight");
        int outputStride = choice.OutputStride(16, 8, 16);
        (BackboneSpec backbone, NameMap.Row[] names, string stem) = Backbone(checkpoint, outputStride);
        int channels = checkpoint.InputChannels(stem);
        int classes = checkpoint.Outputs(plus ? "classifier.classifier.3.weight" : "classifier.classifier.4.weight");
        var pyramid = new AsppSpec
        {
            Rates = AsppSpec.StandardRates(outputStride),
            Style = separable ? ConvolutionStyle.Separable : ConvolutionStyle.Dense,
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
                        FuseConvolutions = 1,
                        Style = pyramid.Style,
                        LowLevelFirst = true,
                        Sampling = Sampling.HalfPixel,
                    }
                    : new DeepLabV3HeadSpec { Aspp = pyramid, Hidden = pyramid.Style },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
            },
            Names = new NameMap([.. names, .. Head(aspp, plus)]),
            Preprocessing = Normalisation.ImageNet(channels),
            // Its published weights are for these two.
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc, ClassNames.Cityscapes),
            Switches = choice.Switches,
        };
    }

    private static NameMap.Row[] Head(string aspp, bool plus)
    {
        string fuse = plus ? "classifier.classifier.0" : "classifier.classifier.1";
        string fuseNorm = plus ? "classifier.classifier.1" : "classifier.classifier.2";
        return
        [
            .. HeadNames.Aspp(aspp, "body."),
            new(@"decoder\.low_level", "classifier.project.0", "classifier.project.1"),
            .. HeadNames.Window(@"(?:decoder\.fuse0|head)", fuse, fuseNorm, "body."),
            new("classifier", plus ? "classifier.classifier.3" : "classifier.classifier.4"),
        ];
    }

    private static (BackboneSpec Spec, NameMap.Row[] Names, string Stem) Backbone(
        ICheckpoint checkpoint, int outputStride)
    {
        if (BackboneShapes.FindResNet(
            checkpoint, "backbone.", outputStride, DilationRule.FirstBlockPrevious) is { } resNet)
            return (resNet, BackboneNames.ResNet("backbone."), "backbone.conv1.weight");
        if (checkpoint.Weights.ContainsKey("backbone.block12.skip.weight"))
            return (Xception(outputStride), BackboneNames.Xception("backbone."), "backbone.conv1.weight");
        string First(int block) => block < 4 ? "backbone.low_level_features." : "backbone.high_level_features.";
        const string stem = "backbone.low_level_features.0.0.weight";
        if (!checkpoint.Weights.ContainsKey(stem))
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has VainF's head on a backbone that Atrous does not have (HRNet?); it has " +
                $"ResNet, " +
                "MobileNetV2 and Xception.");
        }
        var mobileNet = new InvertedResidualSpec
        {
            Name = "MobileNetV2",
            Activation = Activation.Relu6,
            StemPadding = 0,
            PadsBlockInput = true,
            Blocks = BackboneShapes.MobileNetV2(outputStride, DilationRule.FirstBlockPrevious),
            LowLevelBlock = 3,
        };
        return (mobileNet, BackboneNames.MobileNetV2(First), stem);
    }

    private static XceptionSpec Xception(int outputStride)
    {
        bool dense = outputStride == 8;
        var middle = new XceptionBlock(3, 1, dense ? 2 : 1, StartsActivated: true, ConvolutionSkip: false);
        // The exit's padding stays 1 whatever its dilation, so the map shrinks; its last norm and ReLU are never run.
        int exitDilation = dense ? 4 : 2;
        return new XceptionSpec
        {
            Name = "Xception",
            StemPadding = 0,
            StemActivated = true,
            NormBetween = false,
            StrideInConvolution = false,
            Blocks =
            [
                new XceptionBlock(2, 2, 1, StartsActivated: false, ConvolutionSkip: true),
                new XceptionBlock(2, 2, 1, StartsActivated: true, ConvolutionSkip: true),
                new XceptionBlock(2, dense ? 1 : 2, dense ? 2 : 1, StartsActivated: true, ConvolutionSkip: true),
                .. Enumerable.Repeat(middle, 8),
                new XceptionBlock(2, 1, dense ? 4 : 2, StartsActivated: true, ConvolutionSkip: true),
            ],
            ExitActivatedFirst = false,
            Exit = [new XceptionExit(exitDilation, Padding: 1),
                new XceptionExit(exitDilation, Padding: 1, Normed: false)],
            LowLevel = XceptionTap.Block1,
        };
    }
}
