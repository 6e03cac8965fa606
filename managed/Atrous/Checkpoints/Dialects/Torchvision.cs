using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// torchvision.models.segmentation: DeepLabV3 with ResNet (published at output stride 8; ResNet-18 and 34 have 32) and
/// MobileNetV3-Large (16), align_corners=false, rates 12, 24, 36 whatever the output stride.
/// </summary>
internal sealed class Torchvision : Dialect
{
    private const string MobileNetStem = "backbone.0.0.weight";

    /// <summary>Who appends a sigmoid to the head makes a Sequential of both.</summary>
    private const string Head = "classifier.", InnerHead = "classifier.0.", FirstBranch = "0.convs.0.0.weight";

    private static readonly int[] Rates = [12, 24, 36];

    /// <summary>
    /// MobileNetV3-Large, table 1 of Howard et al. 2019 (arXiv:1905.02244); the last three are dilated instead of
    /// strided.
    /// </summary>
    private static readonly InvertedResidual[] MobileNetV3Large =
    [
        Block(1, 3, Activation.Relu, residual: true) with { ExpandKernel = 0 },
        Block(2, 3, Activation.Relu), Block(1, 3, Activation.Relu, residual: true),
        Gated(2, 5, Activation.Relu), Gated(1, 5, Activation.Relu, residual: true),
            Gated(1, 5, Activation.Relu, residual: true),
        Block(2, 3, Activation.HardSwish), Block(1, 3, Activation.HardSwish, residual: true),
        Block(1, 3, Activation.HardSwish, residual: true), Block(1, 3, Activation.HardSwish, residual: true),
        Gated(1, 3, Activation.HardSwish), Gated(1, 3, Activation.HardSwish, residual: true),
        Gated(1, 5, Activation.HardSwish) with { Dilation = 2 },
        Gated(1, 5, Activation.HardSwish, residual: true) with { Dilation = 2 },
        Gated(1, 5, Activation.HardSwish, residual: true) with { Dilation = 2 },
    ];

    public override string Name => "torchvision";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, Head + FirstBranch) ?? Evidence.Keys(checkpoint, InnerHead + FirstBranch);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool mobile = checkpoint.Has(MobileNetStem);
        // Its basic blocks cannot be dilated: ResNet-18 and 34 keep their strides.
        bool dilates = checkpoint.Has("backbone.layer1.0.conv3.weight");
        int outputStride =
            mobile ? choice.OutputStride(16, 16) : choice.OutputStride(dilates ? 8 : 32, 8, 16, 32);
        NamedBackbone backbone = mobile
            ? new(MobileNetV3(), MobileNetV3Names(), MobileNetStem)
            : NamedBackbone.FindResNet(checkpoint, "backbone.", outputStride, DilationRule.FirstBlockPrevious)
            ?? throw NamedBackbone.Unknown(
                checkpoint, "torchvision's DeepLabV3 head on a backbone", "ResNet and MobileNetV3-Large");
        string head = checkpoint.Has(Head + FirstBranch) ? Head : InnerHead, last = Last(checkpoint, head);
        int[] rates = choice.Numbers(
            "rates",
            HeadShapes.StatedRates(checkpoint, 3, branch => [$"{head}0.convs.{branch}.0.weight"])
                ?? Rates,
            "DeepLabHead's atrous_rates, of the three atrous branches");
        int channels = checkpoint.InputChannels(backbone.Stem);
        int classes = checkpoint.Outputs(last + ".weight");
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = new DeepLabV3HeadSpec
                {
                    Aspp = new AsppSpec { Rates = rates },
                    Hidden = ConvolutionStyle.Dense,
                },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
            },
            Names = new NameMap(
            [
                .. backbone.Names,
                .. HeadNames.Aspp(head + "0."),
                new("head", head + "1", head + "2"),
                new("classifier", last),
            ]),
            Preprocessing = Normalisation.ImageNet(channels) with { Resize = new ResizePolicy.ShortSide(520) },
            // Its published weights have the classes of VOC.
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc),
            TrainingOnly = ["aux_classifier.", .. NamedBackbone.ImageClassifier("backbone.")],
            ReadWhole = ["backbone.", Head],
        };
    }

    /// <summary>
    /// The last convolution, which may lie in a Sequential with a dropout or a sigmoid; where other layers are there
    /// too, the network is another one.
    /// </summary>
    private static string Last(ICheckpoint checkpoint, string head)
    {
        string[] inside =
        [
            .. checkpoint.Weights.Keys.Where(key =>
                key.StartsWith(head + "4.", StringComparison.Ordinal) && key != head + "4.weight"
                && key.EndsWith(".weight", StringComparison.Ordinal)),
        ];
        return inside is [string only] && !checkpoint.Has(head + "4.weight") ? only[..^".weight".Length] : head + "4";
    }

    private static InvertedResidualSpec MobileNetV3() => new()
    {
        Name = "MobileNetV3-Large",
        NormEpsilon = 1e-3,
        Activation = Activation.HardSwish,
        Blocks = MobileNetV3Large,
        LastConvolution = true,
    };

    private static InvertedResidual Block(int stride, int kernel, Activation activation, bool residual = false) =>
        new(stride, 1, 1, kernel, residual) { Activation = activation };

    private static InvertedResidual Gated(int stride, int kernel, Activation activation, bool residual = false) =>
        Block(stride, kernel, activation, residual) with { SqueezeExcite = true };

    /// <summary>A block is a sequence of the parts that it has: expand, depthwise, gate (fc1, fc2), project.</summary>
    private static NameMap.Row[] MobileNetV3Names() =>
    [
        new(@"backbone\.stem", "backbone.0.0", "backbone.0.1"),
        new(@"backbone\.last", "backbone.16.0", "backbone.16.1"),
        new(@"backbone\.block(\d+)\.(expand|depthwise|gate\.reduce|gate\.expand|project)", match =>
        {
            int number = match.Number(1);
            InvertedResidual block = MobileNetV3Large[number - 1];
            int depthwise = block.ExpandKernel > 0 ? 1 : 0;
            (int index, string module) = match.Groups[2].Value switch
            {
                "expand" => (0, "0"),
                "depthwise" => (depthwise, "0"),
                "gate.reduce" => (depthwise + 1, "fc1"),
                "gate.expand" => (depthwise + 1, "fc2"),
                _ => (depthwise + (block.SqueezeExcite ? 2 : 1), "0"),
            };
            string part = $"backbone.{number}.block.{index}.";
            return new LayerNames(part + module, part + "1");
        }),
    ];
}
