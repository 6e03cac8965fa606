using System.Globalization;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// torchvision.models.segmentation: DeepLabV3 with ResNet (published at output stride 8) and MobileNetV3-Large (16),
/// align_corners=false, rates 12, 24, 36 whatever the output stride.
/// </summary>
internal sealed class Torchvision : Dialect
{
    private const string Key = "classifier.0.convs.0.0.weight";

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

    public override string? Recognise(ICheckpoint checkpoint) => checkpoint.Weights.ContainsKey(Key) ? Key : null;

    public override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool mobile = checkpoint.Weights.ContainsKey("backbone.0.0.weight");
        int outputStride = mobile ? choice.OutputStride(16, 16) : choice.OutputStride(8, 8, 16);
        int channels = checkpoint.InputChannels(mobile ? "backbone.0.0.weight" : "backbone.conv1.weight");
        int classes = checkpoint.Outputs("classifier.4.weight");
        return new ModelDescription
        {
            Dialect = Name,
            Evidence = Recognise(checkpoint)!,
            Network = new NetworkSpec
            {
                Backbone = mobile ? MobileNetV3() : ResNet(checkpoint, outputStride),
                Head = new DeepLabV3HeadSpec
                {
                    Aspp = new AsppSpec { Rates = [12, 24, 36] },
                    Hidden = ConvolutionStyle.Dense,
                },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.HalfPixel,
            },
            Names = new NameMap(
            [
                .. mobile ? MobileNetV3Names() : BackboneNames.ResNet("backbone."),
                .. HeadNames.Aspp("classifier.0."),
                new("head", "classifier.1", "classifier.2"),
                new("classifier", "classifier.4"),
            ]),
            Preprocessing = Normalisation.ImageNet(channels) with { Resize = new ResizePolicy.ShortSide(520) },
            // Its published weights have the classes of VOC.
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc),
            TrainingOnly = ["aux_classifier."],
            Switches = choice.Switches,
        };
    }

    private static ResNetSpec ResNet(ICheckpoint checkpoint, int outputStride) =>
        BackboneShapes.FindResNet(checkpoint, "backbone.", outputStride, DilationRule.FirstBlockPrevious)
        ?? throw new ModelException(
            $"'{checkpoint.Path}' has torchvision's DeepLabV3 head on a backbone that Atrous does not have; it has " +
            $"ResNet and " +
            "MobileNetV3-Large.");

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
            int number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
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
            string part = string.Create(CultureInfo.InvariantCulture, $"backbone.{number}.block.{index}.");
            return new LayerNames(part + module, part + "1");
        }),
    ];
}
