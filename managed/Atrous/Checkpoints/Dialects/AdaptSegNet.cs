using System.Text.RegularExpressions;
using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// wasidennis/AdaptSegNet and what was made of it, such as valeoai/ADVENT, and speedinghzl/Pytorch-Deeplab before it:
/// DeepLabV2 with the Caffe ResNet-101 or VGG-16 at output stride 8, align_corners=true. Its classifier returns from
/// within its loop, so that two of its four branches are summed; ADVENT sums all of them.
/// </summary>
internal sealed class AdaptSegNet : Dialect
{
    private const string Stem = "conv1.weight", VggStem = "features.0.weight", FirstBranch = ".conv2d_list.0.weight";
    private const string Single = "layer5", Last = "layer6", VggClassifier = "classifier";
    private const string Two = "2", Four = "4";

    private static readonly int[] Rates = [6, 12, 18, 24];
    private static readonly string[] ResNetParts = ["conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4."];

    public override string Name => "AdaptSegNet";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, Stem, "layer4.0.conv1.weight", Last + FirstBranch)
        ?? Evidence.Keys(checkpoint, Stem, "layer4.0.conv1.weight", Single + FirstBranch)
        ?? Evidence.Keys(checkpoint, VggStem, VggClassifier + FirstBranch);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        int outputStride = choice.OutputStride(8, 8);
        string head = checkpoint.Has(Last + FirstBranch) ? Last
            : checkpoint.Has(Single + FirstBranch) ? Single
            : VggClassifier;
        CheckBranches(checkpoint, head);
        NamedBackbone backbone = head == VggClassifier ? Vgg16() : ResNet(checkpoint, outputStride);
        int[] rates = choice.Rates(
            checkpoint, Rates, "6,12,18,24", branch => [$"{head}.conv2d_list.{branch - 1}.weight"]);
        int channels = checkpoint.InputChannels(backbone.Stem), classes = checkpoint.Outputs(head + FirstBranch);
        string branches = choice.OneOf(
            "branches", Standard(checkpoint, $"{head}.conv2d_list.2.weight"), [Two, Four],
            "how many of the classifier's branches are summed: AdaptSegNet sums the first two, ADVENT all four");
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = new DeepLabV2HeadSpec { Rates = branches == Two ? rates[..2] : rates },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.AlignCorners,
                Forward = ForwardResult.Logits,
            },
            Names = new NameMap([.. backbone.Names, new(@"aspp\.branch(\d)", head + ".conv2d_list.$1")]),
            Preprocessing = new PreprocessingSpec
            {
                Order = ChannelOrder.Bgr,
                Scale = 1,
                Mean = [104.00698793f, 116.66876762f, 122.67891434f],
                Std = [1, 1, 1],
                // Pytorch-Deeplab scores the pictures of VOC at their own size, the others those of Cityscapes at half.
                Resize = classes == ClassNames.Voc.Count
                    ? new ResizePolicy.None()
                    : new ResizePolicy.Stretch(512, 1024),
                Filter = ResizeFilter.Bicubic,
            }.For(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Cityscapes, ClassNames.Voc),
            // Of the classifier on the third stage, and the branches that are not summed.
            TrainingOnly =
            [
                .. head == Last ? [Single + "."] : (string[])[],
                .. branches == Two ? [$"{head}.conv2d_list.2.", $"{head}.conv2d_list.3."] : (string[])[],
            ],
            ReadWhole = [.. head == VggClassifier ? (string[])["features."] : ResNetParts, head + "."],
        };
    }

    /// <summary>
    /// Where the third branch was never trained, it still has the values that it was made with, of mean 0 and
    /// deviation 0.01; training with decay leads far away from that.
    /// </summary>
    private static Standard<string> Standard(ICheckpoint checkpoint, string third)
    {
        if (!checkpoint.Has(third))
            return Two;
        var values = new float[checkpoint.Weights[third].Elements];
        checkpoint.Read(third, values);
        double mean = values.Average(value => (double)value);
        double deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        // As far as samples of this size may stray, four times over.
        double error = 4 * 0.01 / Math.Sqrt(values.Length);
        bool isFresh = Math.Abs(mean) < error && Math.Abs(deviation - 0.01) < error;
        // That it was trained does not tell that it is summed: it may be another network's that training began with.
        return isFresh ? new Standard<string>(Two, "the weights") : Four;
    }

    /// <summary>Refuses networks of the same names that compute something else.</summary>
    private static void CheckBranches(ICheckpoint checkpoint, string head)
    {
        if (head == Last && checkpoint.Has(Single + FirstBranch)
            && checkpoint.InputChannels(Single + FirstBranch) == checkpoint.InputChannels(Last + FirstBranch))
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has two classifiers on its last features ({Single} and {Last}), as CLAN does, " +
                "and Atrous does not know how their scores become one; it has networks whose first classifier is on " +
                "the stage before, for training.");
        }
        if (checkpoint.Has($"{head}.conv2d_list.{Rates.Length}.weight"))
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has more branches in {head} than the {Rates.Length} that DeepLabV2 has.");
        }
    }

    private static NamedBackbone ResNet(ICheckpoint checkpoint, int outputStride)
    {
        NamedBackbone resNet = NamedBackbone.FindResNet(checkpoint, "", outputStride, DilationRule.Full)!;
        var spec = (ResNetSpec)resNet.Spec;
        return resNet with
        {
            Spec = spec with
            {
                Name = spec.Name + " (Caffe)",
                StrideInFirstConvolution = true,
                CeilModePool = true,
            },
        };
    }

    /// <summary>VGG-16 without its last two max-pools, and two of its fully connected layers as convolutions.</summary>
    private static NamedBackbone Vgg16()
    {
        VggStage[] stages =
        [
            new(2, 1, Pooled: true), new(2, 1, Pooled: true), new(3, 1, Pooled: true), new(3, 1, Pooled: false),
            new(3, 2, Pooled: false), new(2, 4, Pooled: false),
        ];
        return new(
            new VggSpec { Name = "VGG-16", Stages = stages },
            [new(@"backbone\.stage(\d)\.(\d)", match => new($"features.{Index(match)}", ""))],
            VggStem);

        // Convolutions and their activations count, and so do the max-pools.
        int Index(Match match) =>
            stages.Take(match.Number(1) - 1).Sum(stage => 2 * stage.Convolutions + (stage.Pooled ? 1 : 0))
            + 2 * match.Number(2);
    }
}
