using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Checkpoints.Dialects.OpenMmLab;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// mmsegmentation: DeepLabV3 and DeepLabV3+ with ASPP whose pooled branch comes first and a 3x3 convolution after it.
/// DeepLabV3+ has separable convolutions with batch norms between. Its checkpoints hold the configuration that they
/// were trained with, which says what the weights cannot; a plain state dict leaves it to switches.
/// </summary>
internal sealed partial class MmSegmentation : Dialect
{
    private const string Branches = "decode_head.aspp_modules.", Classifier = "decode_head.conv_seg.weight";
    private const string LowLevel = "decode_head.c1_bottleneck.conv.weight", NoWindow = "none";

    private static readonly string[] Heads = ["ASPPHead", "DepthwiseSeparableASPPHead"];

    public override string Name => "mmsegmentation";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, Branches + "0.conv.weight", Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        var meta = CheckpointMeta.Of(checkpoint);
        ConfigSection model = meta.Root.Section("model"), head = Head(model);
        int classes = checkpoint.Outputs(Classifier);
        bool plus = checkpoint.Has(LowLevel);
        CheckHead(checkpoint, meta, model, head, plus, classes);
        var backbone = MmBackbone.Find(checkpoint, model.Section("backbone"), choice);
        int channels = checkpoint.InputChannels(backbone.Network.Stem), maskClasses = Math.Max(classes, 2);
        Sampling sampling = choice.AlignCorners(
            head.Or("align_corners", head.Flag("align_corners"), false, false),
            "every resize aligns corners: the 769x769 configurations do, the others do not");
        AsppSpec aspp = HeadShapes.Aspp(Rates(checkpoint, head, choice, backbone), sampling) with
        {
            Style = HeadShapes.Style(
                checkpoint, Branches + "1.depthwise_conv.conv.weight", ConvolutionStyle.SeparableNormed),
            PoolFirst = true,
            ProjectionKernel = 3,
        };
        var pipeline = new TestPipeline(meta);
        PreprocessingSpec preprocessing = Preprocessing(pipeline, choice, channels);
        SlideSpec? slide = Slide(model, meta.Root, choice);
        if (slide is not null && preprocessing is { SizeMultiple: { } multiple, StretchesToMultiple: false })
        {
            meta.Note(
                $"{meta.Root.Source} fills pictures up to multiples of {multiple}, which is not done "
                + "where a window slides.");
            preprocessing = preprocessing with { SizeMultiple = null };
        }
        if (backbone.Network.Spec.SizeMultiple is > 1 and var taken)
        {
            int filled = preprocessing.SizeMultiple ?? 1;
            while (filled % taken != 0)
                filled += preprocessing.SizeMultiple ?? 1;
            if (filled != preprocessing.SizeMultiple)
            {
                meta.Note(
                    $"{backbone.Network.Spec.Name} takes only heights and widths that {taken} divides, and the "
                    + "original refuses others; they are filled up at the right and bottom here.");
                preprocessing = preprocessing with { SizeMultiple = filled };
            }
        }
        IReadOnlyList<string> names = meta.ClassNames(maskClasses);
        double epsilon = MmBackbone.EpsilonOf(head) ?? 1e-5;
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Network.Spec,
                Head = plus
                    ? new DeepLabV3PlusHeadSpec
                    {
                        Aspp = aspp,
                        Style = ConvolutionStyle.SeparableNormed,
                        Sampling = sampling,
                        NormEpsilon = epsilon,
                    }
                    : new DeepLabV3HeadSpec { Aspp = aspp, NormEpsilon = epsilon },
                OutputStride = backbone.OutputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = sampling,
                ResizedTwice = true,
                Slide = slide,
            },
            Names = new NameMap(
            [
                .. backbone.Network.Names,
                Module(@"aspp\.branch(\d)", "aspp_modules.$1"),
                Module(@"aspp\.branch(\d)\.(depthwise|pointwise)", "aspp_modules.$1.$2_conv"),
                Module(@"aspp\.pool", "image_pool.1"),
                Module(@"aspp\.project", "bottleneck"),
                Module(@"decoder\.low_level", "c1_bottleneck"),
                Module(@"decoder\.fuse(\d)\.(depthwise|pointwise)", "sep_bottleneck.$1.$2_conv"),
                new("classifier", "decode_head.conv_seg"),
            ]),
            Preprocessing = preprocessing,
            PreprocessingSource = pipeline.IsNormalisationSaid ? meta.Root.Source : Switch.Assumed,
            ClassNames = names.Count > 0 ? names : ClassNames.OfSize(classes, ClassNames.Cityscapes, ClassNames.Voc),
            Palette = meta.Palette(maskClasses),
            Threshold = classes == 1 ? choice.ForegroundThreshold(ThresholdOf(checkpoint, head)) : null,
            Notes = meta.Notes,
            TrainingOnly = ["auxiliary_head."],
            ReadWhole = ["backbone.", "decode_head."],
        };
    }

    /// <summary>What BaseDecodeHead takes where out_channels is 1 and the configuration has none is 0.3.</summary>
    private static Standard<double> ThresholdOf(ICheckpoint checkpoint, ConfigSection head)
    {
        double? said = head.Real("threshold");
        return said is null or (> 0 and < 1)
            ? head.Or("threshold", said, 0.3, 0.3)
            : throw MmBackbone.Refused(checkpoint, head, "threshold", "is not between 0 and 1");
    }

    private static ConfigSection Head(ConfigSection model)
    {
        ConfigSection head = model.Section("decode_head");
        return head.Type is { } type && !Heads.Contains(type) ? head.Partial() : head;
    }

    private static NameMap.Row Module(string pattern, string name) =>
        new(pattern, $"decode_head.{name}.conv", $"decode_head.{name}.bn");

    /// <summary>Refuses what another network's configuration says, and heads that compute something else.</summary>
    private static void CheckHead(
        ICheckpoint checkpoint, CheckpointMeta meta, ConfigSection model, ConfigSection head, bool plus, int classes)
    {
        if (!plus && checkpoint.Has("decode_head.sep_bottleneck.0.depthwise_conv.conv.weight"))
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has mmsegmentation's DeepLabV3+ head without low-level features " +
                "(c1_in_channels=0), which Atrous does not have.");
        }
        if (model.Has("neck"))
            throw MmBackbone.Refused(
                checkpoint, model, "neck", "is between backbone and head, where Atrous has nothing");
        string own = Heads[plus ? 1 : 0];
        if (head.Type is { } known && Heads.Contains(known) && known != own)
            throw Contradicts("type", known, own);
        if (head.Type is { } type && !Heads.Contains(type))
            meta.Note(head.About("type", $"is {type}, which is taken for {own}, since its weights have those names."));
        (string key, int? said) = head.Number("out_channels") is { } channels
            ? ("out_channels", (int?)channels)
            : ("num_classes", head.Number("num_classes"));
        if (said is not null && said != classes)
            throw Contradicts(key, $"{said}", $"{classes} score(s) a pixel");
        MmBackbone.CheckActivation(checkpoint, head, "ReLU");
        if (head.Section("norm_cfg").Type is { } norm
            && !norm.Contains("BN", StringComparison.Ordinal) && !norm.Contains("BatchNorm", StringComparison.Ordinal))
            throw MmBackbone.Refused(
                checkpoint, head, "norm_cfg", $"asks for {norm}, and Atrous has batch norms there");

        ModelException Contradicts(string entry, string value, string weights) => MmBackbone.Refused(
            checkpoint, head, entry, $"says {value}, which contradicts the weights: they have {weights}");
    }

    /// <summary>Rates of the 3x3 branches; the first branch is a 1x1 convolution.</summary>
    private static int[] Rates(ICheckpoint checkpoint, ConfigSection head, DialectChoice choice, MmBackbone backbone)
    {
        int branches = 0;
        while (checkpoint.Has($"{Branches}{branches}.conv.weight")
            || checkpoint.Has($"{Branches}{branches}.depthwise_conv.conv.weight"))
            branches++;
        int[]? said = head.Numbers("dilations");
        if (said is not null && said.Length != branches)
        {
            throw MmBackbone.Refused(
                checkpoint, head, "dilations",
                $"has {said.Length} rates, which contradicts the weights: they have {branches}");
        }
        if (said is not null && (said[0] != 1 || said.Skip(1).Contains(1))
            || checkpoint.Weights[Branches + "0.conv.weight"].Shape is [_, _, not 1, _])
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has an ASPP whose first branch is not its only 1x1 convolution, which Atrous " +
                $"does " +
                "not have.");
        }
        int[] standard = [.. AsppSpec.StandardRates(backbone.OutputStride == 16 ? 16 : 8)];
        Standard<int[]> rates = head.Or("dilations", said?[1..], [6, 12, 18], standard);
        if (said is null
            && HeadShapes.StatedRates(
                checkpoint, branches - 1,
                branch => [$"{Branches}{branch}.conv.weight", $"{Branches}{branch}.depthwise_conv.conv.weight"])
                is { } stated)
            rates = stated;
        // At another output stride than the trained one the rates follow it.
        if (backbone.IsOverridden)
            rates = standard;
        int[] chosen = choice.Numbers(
            "rates", rates, "the head's dilations, of the atrous branches", count: branches - 1);
        return chosen.Length == branches - 1
            ? chosen
            : throw new ModelException(
                $"'{checkpoint.Path}' has {branches - 1} atrous branches, and nothing says their rates; the switch " +
                "rates does.");
    }

    private static PreprocessingSpec Preprocessing(TestPipeline pipeline, DialectChoice choice, int channels)
    {
        string scale = choice.Text(
            "test_scale", pipeline.Scale,
            "size that the picture is fitted into before the network sees it; mmsegmentation's own test does that, " +
            "with " +
            "2048x1024 for Cityscapes, 2048x512 for ADE20K and VOC (NxM, stretch=HxW, or none)");
        PreprocessingSpec spec = pipeline.Normalisation(channels) with
        {
            SizeMultiple = pipeline.SizeMultiple,
            StretchesToMultiple = pipeline.Stretches,
        };
        ResizePolicy policy = TestPipeline.PolicyOf(scale);
        return policy is ResizePolicy.None && !spec.StretchesToMultiple
            ? spec
            // mmcv resizes with OpenCV. Where a picture grows, that and Pillow's differ by rounding alone.
            : spec with
            {
                Resize = policy,
                Filter = ResizeFilter.BilinearPlain,
                EnlargingFilter = ResizeFilter.Bilinear,
            };
    }

    /// <summary>test_cfg, which early versions have beside the model.</summary>
    private static SlideSpec? Slide(ConfigSection model, ConfigSection root, DialectChoice choice)
    {
        ConfigSection test = model.Has("test_cfg") ? model.Section("test_cfg") : root.Section("test_cfg");
        Standard<string> standard = NoWindow;
        if (test.Text("mode") is { } mode)
        {
            string? window = mode != "slide" ? NoWindow
                : Pair(test.Numbers("crop_size")) is { } crop && Pair(test.Numbers("stride")) is { } step
                    ? $"{crop},{step}"
                : null;
            standard = window is null ? NoWindow : new Standard<string>(window, root.Source);
        }
        string text = choice.Text(
            "slide", standard,
            "window that slides over the picture, and its steps; mmsegmentation's own test does that for the 769x769 " +
            "configurations, with 769x769,513x513 (HxW,HxW, or none)");
        if (text == NoWindow)
            return null;
        int[] sides = Window().Match(text) is { Success: true } match
            ? [.. Enumerable.Range(1, 4).Select(i => int.TryParse(
                match.Groups[i].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int side) ? side : 0)]
            : [0];
        return Array.TrueForAll(sides, side => side is > 0 and <= 65536) && sides[2] <= sides[0] && sides[3] <= sides[1]
            ? new SlideSpec(sides[0], sides[1], sides[2], sides[3])
            : throw new UnavailableException(
                "The switch slide takes a window and steps that are no larger, such as 769x769,513x513, or none; not " +
                $"'{text}'.");

        static string? Pair(int[]? sides) => sides switch
        {
            [int side] => $"{side}x{side}",
            [int height, int width] => $"{height}x{width}",
            _ => null,
        };
    }

    [GeneratedRegex("^([0-9]+)x([0-9]+),([0-9]+)x([0-9]+)$")]
    private static partial Regex Window();
}
