using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// kazuto1011/deeplab-pytorch: DeepLabV2 with the Caffe ResNet (stride in the first 1x1 convolution, ceil-mode pooling)
/// at output stride 8. Files whose names start with "base." were saved by its multi-scale wrapper.
/// </summary>
internal sealed class Kazuto1011 : Dialect
{
    private const string Wrapper = "base.";
    private const string Stem = "layer1.conv1.conv.weight", FirstBranch = "aspp.c0.weight";

    /// <summary>The stem is the first.</summary>
    private const int Stages = 5;

    private static readonly int[] Rates = [6, 12, 18, 24];

    public override string Name => "kazuto1011";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, Wrapper + Stem, Wrapper + FirstBranch)
        ?? Evidence.Keys(checkpoint, Stem, FirstBranch);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        string prefix = checkpoint.Has(Wrapper + Stem) ? Wrapper : "";
        int outputStride = choice.OutputStride(8, 8);
        int classes = checkpoint.Outputs(prefix + FirstBranch);
        int channels = checkpoint.InputChannels(prefix + Stem);
        int[] blocks = BackboneShapes.CountBlocks(
            checkpoint, (stage, block) => $"{prefix}layer{stage + 1}.block{block + 1}.reduce.conv.weight");
        int[] rates = choice.Rates(
            checkpoint, Rates, "6,12,18,24", branch => [$"{prefix}aspp.c{branch - 1}.weight"]);
        ResNetSpec resNet = BackboneShapes.ResNet(blocks, outputStride, DilationRule.Full);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = resNet with
                {
                    Name = resNet.Name + " (Caffe)",
                    StrideInFirstConvolution = true,
                    CeilModePool = true,
                },
                Head = new DeepLabV2HeadSpec { Rates = rates },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
                Forward = ForwardResult.Logits,
                MultiScale = Scales(choice, prefix == Wrapper ? "0.5,0.75" : "none"),
            },
            Names = new NameMap(
            [
                Normed(@"backbone\.stem\.conv1", _ => $"{prefix}layer1.conv1"),
                Normed(@"backbone\.stage(\d)\.(\d+)\.(conv[123]|shortcut)", match => prefix + Part(match)),
                new(@"aspp\.branch(\d)", prefix + "aspp.c$1"),
            ]),
            Preprocessing = new PreprocessingSpec
            {
                Order = ChannelOrder.Bgr,
                Scale = 1,
                Mean = [104.008f, 116.669f, 122.675f],
                Std = [1, 1, 1],
                Resize = new ResizePolicy.LongSide(513, OnlyShrink: false),
                Filter = ResizeFilter.BilinearPlain,
            }.For(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc),
            ReadWhole = [.. Enumerable.Range(1, Stages).Select(stage => $"{prefix}layer{stage}."), prefix + "aspp."],
        };
    }

    private static NameMap.Row Normed(string pattern, Func<Match, string> name) =>
        HeadNames.Parts(pattern, name, ".conv", ".bn");

    private static string Part(Match match)
    {
        // Stages count from 2, since the stem is the first; blocks from 1.
        string part = match.Groups[3].Value switch
        {
            "conv1" => "reduce",
            "conv2" => "conv3x3",
            "conv3" => "increase",
            string other => other,
        };
        return $"layer{match.Number(1) + 1}.block{match.Number(2) + 1}.{part}";
    }

    private static MultiScaleSpec? Scales(DialectChoice choice, string standard)
    {
        string text = choice.Text(
            "multi_scale", standard, "further scales whose logits are merged by maximum, as 0.5,0.75; or none");
        bool recomputed = choice.Flag(
            "recompute_scale_factor", false,
            "those scales are sampled as PyTorch up to 1.5 did, rather than as 1.6 and later");
        if (text == "none")
            return null;
        var scales = new List<double>();
        foreach (string part in text.Split(','))
        {
            bool isNumber =
                double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double scale);
            if (!isNumber || scale is < 0.1 or > 8)
            {
                throw new UnavailableException(
                    $"The switch multi_scale takes scales from 0.1 to 8, such as 0.5,0.75, or none; not '{text}'.");
            }
            scales.Add(scale);
        }
        return new MultiScaleSpec(scales, recomputed);
    }
}
