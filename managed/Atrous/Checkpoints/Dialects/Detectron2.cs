using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// detectron2's projects/DeepLab: DeepLabV3 and DeepLabV3+ with a deep-stem ResNet (R103), multi-grid 1,2,4 in the last
/// stage, low-level features first, and image pooling over a window of the training crop's size.
/// </summary>
internal sealed partial class Detectron2 : Dialect
{
    private const string V3 = "sem_seg_head.aspp.", V3Plus = "sem_seg_head.decoder.res5.project_conv.";
    private const string FirstBranch = "convs.0.weight", Classifier = "sem_seg_head.predictor.weight";
    private const string Stem = "backbone.stem.conv1.weight", Fuse = "sem_seg_head.decoder.res2.fuse_conv";

    public override string Name => "detectron2";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, V3Plus + FirstBranch, Classifier)
        ?? Evidence.Keys(checkpoint, V3 + FirstBranch, Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool plus = checkpoint.Has(V3Plus + FirstBranch);
        string aspp = plus ? V3Plus : V3;
        ConvolutionStyle fuse =
            HeadShapes.Style(checkpoint, Fuse + ".depthwise.weight", ConvolutionStyle.SeparableNormed);
        int outputStride = choice.OutputStride(16, 8, 16);
        ResNetSpec backbone = Backbone(checkpoint, choice, outputStride);
        int classes = checkpoint.Outputs(Classifier);
        int channels = checkpoint.InputChannels(Stem);
        var statistics = StatisticsBuffers.Of(checkpoint, channels);
        var pyramid = new AsppSpec
        {
            Rates = choice.Rates(
                checkpoint, AsppSpec.StandardRates(outputStride), "6,12,18 (ASPP_DILATIONS), for output stride 16",
                branch => [$"{aspp}convs.{branch}.weight", $"{aspp}convs.{branch}.depthwise.weight"]),
            ImagePooling = new ImagePoolingSpec
            {
                Window = PoolingWindow(choice, outputStride),
                BiasWithoutNorm = true,
            },
            Style = HeadShapes.Style(checkpoint, aspp + "convs.1.depthwise.weight", ConvolutionStyle.SeparableNormed),
        };
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone,
                Head = plus
                    ? new DeepLabV3PlusHeadSpec
                    {
                        Aspp = pyramid,
                        // One separable 5x5 sees as far as two 3x3 convolutions.
                        FuseConvolutions = fuse == ConvolutionStyle.Dense ? 2 : 1,
                        FuseKernel = fuse == ConvolutionStyle.Dense ? 3 : 5,
                        Style = fuse,
                        LowLevelFirst = true,
                        Sampling = Sampling.HalfPixel,
                    }
                    : new DeepLabV3HeadSpec { Aspp = pyramid },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
                Forward = new ForwardResult(plus ? 4 : outputStride, Cropped: true),
            },
            Names = new NameMap(
            [
                Normed(@"backbone\.stem\.conv(\d)", "backbone.stem.conv$1"),
                new(@"backbone\.stage(\d)\.(\d+)\.(conv\d|shortcut)", Block),
                Normed(@"aspp\.branch(\d)", aspp + "convs.$1"),
                Normed(@"aspp\.branch(\d)\.(depthwise|pointwise)", aspp + "convs.$1.$2"),
                new(@"aspp\.pool", aspp + "convs.4.1"),
                Normed(@"aspp\.project", aspp + "project"),
                Normed(@"decoder\.low_level", "sem_seg_head.decoder.res2.project_conv"),
                Normed(@"decoder\.fuse(\d)", Fuse + ".$1"),
                Normed(@"decoder\.fuse0\.(depthwise|pointwise)", Fuse + ".$1"),
                new("classifier", "sem_seg_head.predictor"),
            ]),
            Preprocessing = Preprocessing(statistics, choice, channels),
            PreprocessingSource = statistics.IsComplete ? Switch.File : Switch.Assumed,
            ClassNames = ClassNames.OfSize(classes, ClassNames.Cityscapes),
            TrainingOnly = [.. statistics.Names, "backbone.linear."],
            ReadWhole = ["backbone.", V3, "sem_seg_head.decoder.", "sem_seg_head.predictor."],
        };
    }

    /// <summary>
    /// The file's own statistics, of bytes. The published files' (123.675, 116.28, 103.53 and 58.395, 57.12, 57.375)
    /// are ImageNet's, in the order of RGB; the library's own order is BGR, and the larger mean is that of red.
    /// </summary>
    private static PreprocessingSpec Preprocessing(StatisticsBuffers statistics, DialectChoice choice, int channels)
    {
        PreprocessingSpec spec =
            Normalisation.ImageNet(channels) with { Resize = new ResizePolicy.ShortSide(1024, 2048) };
        if (statistics.IsComplete)
            spec = spec with { Scale = 1, Mean = statistics.Mean!.PerChannel, Std = statistics.Std!.PerChannel };
        if (channels != 3)
            return spec;
        bool reversed = statistics.IsComplete && spec.Mean[0] < spec.Mean[2];
        // Equal ones tell no order.
        bool tells = statistics.IsComplete && spec.Mean[0] != spec.Mean[2];
        string order = choice.OneOf(
            "channel_order",
            new Standard<string>(reversed ? "bgr" : "rgb", tells ? Switch.File : Switch.Assumed),
            ["rgb", "bgr"],
            "INPUT.FORMAT, the order of the colours: RGB in the published configurations, BGR where nobody sets it");
        if (order == "rgb")
            return spec;
        return statistics.IsComplete
            ? spec with { Order = ChannelOrder.Bgr }
            : spec with
            {
                Order = ChannelOrder.Bgr,
                Mean = [.. spec.Mean.Reverse()],
                Std = [.. spec.Std.Reverse()],
            };
    }

    private static NameMap.Row Normed(string pattern, string name) => new(pattern, name, name + ".norm");

    // Stages count from 2, since the stem is the first.
    private static LayerNames Block(Match match)
    {
        string name = $"backbone.res{match.Number(1) + 1}.{match.Groups[2]}.{match.Groups[3]}";
        return new LayerNames(name, name + ".norm");
    }

    private static ResNetSpec Backbone(ICheckpoint checkpoint, DialectChoice choice, int outputStride)
    {
        if (!checkpoint.Has("backbone.stem.conv3.weight", "backbone.res2.0.conv3.weight"))
        {
            throw NamedBackbone.Unknown(
                checkpoint, "detectron2's DeepLab head on a backbone",
                "the ResNets with a stem of three convolutions (R103)");
        }
        int[] blocks = BackboneShapes.CountBlocks(
            checkpoint, (stage, block) => $"backbone.res{stage + 1}.{block}.conv1.weight");
        return BackboneShapes.ResNet(blocks, outputStride, DilationRule.Full, stemConvolutions: 3) with
        {
            MultiGrid = NamedBackbone.MultiGrid(
                choice, "RES5_MULTI_GRID, 1,2,4 in the published configurations and 1,1,1 elsewhere"),
        };
    }

    /// <summary>The training crop in feature pixels; 512x1024 was the published models'.</summary>
    private static (int Height, int Width)? PoolingWindow(DialectChoice choice, int outputStride)
    {
        string text = choice.Text(
            "image_pool",
            string.Create(CultureInfo.InvariantCulture, $"{512 / outputStride}x{1024 / outputStride}"),
            "window of the image pooling in feature pixels, the training crop / output stride (HxW, or global " +
            "without a crop)");
        if (text == "global")
            return null;
        return Window().Match(text) is { Success: true } match
            && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int height)
            && int.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            ? (height, width)
            : throw new UnavailableException(
                $"The switch image_pool takes a window such as 32x64, or global; not '{text}'.");
    }

    [GeneratedRegex("^([1-9][0-9]*)x([1-9][0-9]*)$")]
    private static partial Regex Window();
}
