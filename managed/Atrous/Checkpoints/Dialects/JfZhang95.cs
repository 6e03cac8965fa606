using System.Text.RegularExpressions;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// jfzhang95/pytorch-deeplab-xception and its many forks: DeepLabV3+ with ResNet (multi-grid 1, 2, 4), Xception,
/// MobileNetV2 and DRN-D; ReLU, low-level features last, align_corners=true.
/// </summary>
internal sealed class JfZhang95 : Dialect
{
    public override string Name => "jfzhang95";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, "aspp.aspp1.atrous_conv.weight");

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool drn = checkpoint.Has("backbone.layer8.0.weight");
        int outputStride = drn ? choice.OutputStride(8, 8) : choice.OutputStride(16, 8, 16);
        NamedBackbone backbone = drn ? DrnD(checkpoint) : Backbone(checkpoint, choice, outputStride);
        int[] rates = choice.Rates(
            checkpoint, outputStride, branch => [$"aspp.aspp{branch + 1}.atrous_conv.weight"]);
        int channels = checkpoint.InputChannels(backbone.Stem);
        // Until November 2018 the decoder had no dropout between its two convolutions.
        bool early = !checkpoint.Has("decoder.last_conv.8.weight");
        string classifier = early ? "decoder.last_conv.7" : "decoder.last_conv.8";
        int classes = checkpoint.Outputs(classifier + ".weight");
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = HeadShapes.V3Plus(rates, Sampling.AlignCorners),
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.AlignCorners,
            },
            Names = new NameMap(
            [
                .. backbone.Names,
                HeadNames.BranchesFromOne("aspp.aspp", ".atrous_conv", ".bn"),
                new(@"aspp\.pool", "aspp.global_avg_pool.1", "aspp.global_avg_pool.2"),
                new(@"aspp\.project", "aspp.conv1", "aspp.bn1"),
                new(@"decoder\.low_level", "decoder.conv1", "decoder.bn1"),
                new(@"decoder\.fuse0", "decoder.last_conv.0", "decoder.last_conv.1"),
                early
                    ? new(@"decoder\.fuse1", "decoder.last_conv.3", "decoder.last_conv.4")
                    : new(@"decoder\.fuse1", "decoder.last_conv.4", "decoder.last_conv.5"),
                new("classifier", classifier),
            ]),
            Preprocessing = Normalisation.ImageNet(channels),
            // Its published weights have the classes of VOC.
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc),
            TrainingOnly = NamedBackbone.ImageClassifier("backbone."),
            ReadWhole = ["backbone.", "aspp.", "decoder."],
            Duplicates = backbone.Spec is InvertedResidualSpec
                ? ["backbone.low_level_features.", "backbone.high_level_features."]
                : [],
        };
    }

    private static NamedBackbone Backbone(ICheckpoint checkpoint, DialectChoice choice, int outputStride)
    {
        NamedBackbone? resNet = NamedBackbone.FindResNet(checkpoint, "backbone.", outputStride, DilationRule.Full);
        if (resNet is { Spec: ResNetSpec spec })
        {
            int[] grid = NamedBackbone.MultiGrid(
                choice, "1,2,4 in the repository's code, and 1,1,1 in forks that left them out");
            return resNet with { Spec = spec with { MultiGrid = grid } };
        }
        if (checkpoint.Has("backbone.block20.skip.weight"))
            return new(
                Xception(outputStride), BackboneNames.Xception("backbone.", unactivated: 2), "backbone.conv1.weight");
        const string stem = "backbone.features.0.0.weight";
        if (!checkpoint.Has(stem))
        {
            throw NamedBackbone.Unknown(
                checkpoint, "jfzhang95's head on a backbone", "ResNet, Xception, MobileNetV2 and DRN-D");
        }
        return new(
            BackboneShapes.MobileNetV2(outputStride, DilationRule.NextStage) with
            {
                PadsBlockInput = true,
                LowLevelBlock = 3,
            },
            BackboneNames.MobileNetV2(_ => "backbone.features.", flat: true),
            stem);
    }

    private static XceptionSpec Xception(int outputStride)
    {
        XceptionSpec spec = Xception65.Spec(outputStride);
        return spec with
        {
            StemActivated = true,
            // The convolution that the original appends to the exit block is never dilated.
            Blocks = [.. spec.Blocks.SkipLast(1), spec.Blocks[^1] with { LastDilation = 1 }],
            LowLevel = XceptionTap.Block2Input,
        };
    }

    /// <summary>DRN-D-54 or -105: layers 0 to 2 are the stem, 3 to 6 the stages, 7 and 8 the exit.</summary>
    private static NamedBackbone DrnD(ICheckpoint checkpoint)
    {
        int[] blocks = BackboneShapes.CountBlocks(
            checkpoint, (stage, block) => $"backbone.layer{stage + 2}.{block}.conv1.weight");
        // Convolutions of the blocks, the stem and the exit, and the classifier.
        string name = $"DRN-D-{3 * blocks.Sum() + 6}";
        var spec = new DilatedResNetSpec
        {
            Name = name,
            Stem = [new StemConvolution(7, 1), new StemConvolution(3, 1), new StemConvolution(3, 2)],
            Stages = new ResNetSpec
            {
                Name = name,
                Blocks = blocks,
                Stages = DilationPlan.Of(2, [2, 2, 2, 2], 8, DilationRule.Full),
            },
            ExitDilations = [2, 1],
        };
        NameMap.Row[] names =
        [
            HeadNames.Parts(@"backbone\.stem\.conv(\d)", match => Layer(match, -1), ".0", ".1"),
            new(@"backbone\.stage(\d)\.(\d+)\.conv(\d)", match => new(
                Layer(match, 2) + match.Result(".$2.conv$3"), Layer(match, 2) + match.Result(".$2.bn$3"))),
            HeadNames.Parts(
                @"backbone\.stage(\d)\.(\d+)\.shortcut",
                match => Layer(match, 2) + match.Result(".$2.downsample"), ".0", ".1"),
            HeadNames.Parts(@"backbone\.exit(\d)", match => Layer(match, 6), ".0", ".1"),
        ];
        return new(spec, names, "backbone.layer0.0.weight");

        static string Layer(Match match, int offset) => $"backbone.layer{match.Number(1) + offset}";
    }
}
