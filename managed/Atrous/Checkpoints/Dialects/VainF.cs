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
        Evidence.Keys(checkpoint, V3Plus, "classifier.project.0.weight") ?? Evidence.Keys(checkpoint, V3);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool plus = checkpoint.Has(V3Plus);
        string aspp = plus ? "classifier.aspp." : "classifier.classifier.0.";
        int outputStride = choice.OutputStride(16, 8, 16);
        NamedBackbone backbone = Backbone(checkpoint, outputStride);
        int channels = checkpoint.InputChannels(backbone.Stem);
        int classes = checkpoint.Outputs(plus ? "classifier.classifier.3.weight" : "classifier.classifier.4.weight");
        var pyramid = new AsppSpec
        {
            Rates = choice.Rates(
                checkpoint, outputStride,
                branch => [$"{aspp}convs.{branch}.0.weight", $"{aspp}convs.{branch}.0.body.0.weight"]),
            Style = HeadShapes.Style(checkpoint, aspp + "convs.1.0.body.0.weight", ConvolutionStyle.Separable),
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
            Names = new NameMap([.. backbone.Names, .. Head(aspp, plus)]),
            Preprocessing = Normalisation.ImageNet(channels),
            // Its published weights are for these two.
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc, ClassNames.Cityscapes),
            TrainingOnly = NamedBackbone.ImageClassifier("backbone."),
            ReadWhole = ["backbone.", "classifier."],
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

    private static NamedBackbone Backbone(ICheckpoint checkpoint, int outputStride)
    {
        const string stem = "backbone.low_level_features.0.0.weight";
        // HRNet has a layer1 too.
        bool isOther = checkpoint.Weights.Keys.Any(key => key.StartsWith("backbone.stage2.", StringComparison.Ordinal));
        NamedBackbone? resNet = isOther ? null : NamedBackbone.FindResNet(
            checkpoint, "backbone.", outputStride, DilationRule.FirstBlockPrevious);
        if (resNet is not null)
            return resNet;
        if (checkpoint.Has("backbone.block12.skip.weight"))
            return new(Xception(outputStride), BackboneNames.Xception("backbone."), "backbone.conv1.weight");
        string First(int block) => block < 4 ? "backbone.low_level_features." : "backbone.high_level_features.";
        if (!checkpoint.Has(stem))
        {
            throw NamedBackbone.Unknown(
                checkpoint, "VainF's head on a backbone", "ResNet, MobileNetV2 and Xception");
        }
        return new(
            BackboneShapes.MobileNetV2(outputStride, DilationRule.FirstBlockPrevious) with
            {
                StemPadding = 0,
                PadsBlockInput = true,
                LowLevelBlock = 3,
            },
            BackboneNames.MobileNetV2(First),
            stem);
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
