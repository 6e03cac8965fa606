using System.Globalization;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// DeepMotionAIResearch/DenseASPP with DenseNet-121, 161, 169 or MobileNetV2. The published files (PyTorch 0.3.1) have
/// dots inside module names ("norm.1"), later ones do not ("norm1"). Bilinear resizing meant align_corners=true to that
/// PyTorch.
/// </summary>
internal sealed class DenseAspp : Dialect
{
    private const string Published = "ASPP_3.conv.1.weight", Modern = "ASPP_3.conv1.weight";
    private const string Classifier = "classification.1.weight";
    private const string MobileNetStem = "features.features.0.0.weight", DenseNetStem = "features.conv0.weight";
    private static readonly int[] Rates = [3, 6, 12, 18, 24];

    public override string Name => "DenseASPP";

    public override string? Recognise(ICheckpoint checkpoint) =>
        checkpoint.Evidence(Published, Classifier) ?? checkpoint.Evidence(Modern, Classifier);

    public override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool mobile = checkpoint.Weights.ContainsKey(MobileNetStem);
        int outputStride = choice.OutputStride(8, 8, 16);
        Sampling sampling = choice.Flag(
            "align_corners", true,
            "resizes align corners, as they did in the PyTorch that trained the published weights")
            ? Sampling.AlignCorners
            : Sampling.HalfPixel;
        int classes = checkpoint.Outputs(Classifier);
        int channels = checkpoint.InputChannels(mobile ? MobileNetStem : DenseNetStem);
        string dot = checkpoint.Weights.ContainsKey(Published) ? "." : "";
        return new ModelDescription
        {
            Dialect = Name,
            Evidence = Recognise(checkpoint)!,
            Network = new NetworkSpec
            {
                Backbone = mobile ? MobileNet(outputStride) : DenseNet(checkpoint, dot, outputStride, sampling),
                Head = new DenseAsppHeadSpec { Rates = Rates },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = sampling,
                Forward = new ForwardResult(8),
            },
            Names = new NameMap(
            [
                .. mobile
                    ? BackboneNames.MobileNetV2(_ => "features.features.", flat: true, firstExpands: true)
                    : DenseNetNames(dot),
                new(@"aspp\.branch(\d)\.(norm|conv1|conv2)", match =>
                {
                    int rate = Rates[match.Groups[1].ValueSpan[0] - '0'];
                    return Layer(
                        string.Create(CultureInfo.InvariantCulture, $"ASPP_{rate}"), match.Groups[2].Value, dot);
                }),
                new("classifier", "classification.1"),
            ]),
            Preprocessing = new PreprocessingSpec
            {
                Scale = 1f / 255f,
                Mean = [0.290101f, 0.328081f, 0.286964f],
                Std = [0.182954f, 0.186566f, 0.184475f],
            }.For(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Cityscapes),
            Switches = choice.Switches,
        };
    }

    private static InvertedResidualSpec MobileNet(int outputStride) => new()
    {
        Name = "MobileNetV2",
        Activation = Activation.Relu6,
        StemActivation = Activation.Relu,
        Blocks = BackboneShapes.MobileNetV2(outputStride, DilationRule.Full, firstExpands: true, lastStride: 1),
    };

    private static DenseNetSpec DenseNet(ICheckpoint checkpoint, string dot, int outputStride, Sampling sampling)
    {
        int[] blocks = BackboneShapes.ResNetBlocks(
            checkpoint,
            (stage, layer) => string.Create(
                CultureInfo.InvariantCulture, $"features.denseblock{stage}.denselayer{layer + 1}.conv{dot}1.weight"));
        return new DenseNetSpec
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"DenseNet-{2 * blocks.Sum() + 5}"),
            Blocks = blocks,
            Stages = DilationPlan.Of(4, [1, 2, 2, 2], outputStride, DilationRule.Full),
            Upsampling = outputStride / 8,
            UpsamplingGrid = sampling,
        };
    }

    private static NameMap.Row[] DenseNetNames(string dot) =>
    [
        new(@"backbone\.stem", "features.conv0", "features.norm0"),
        new(@"backbone\.block(\d)\.(\d+)\.(norm|conv1|conv2)", match =>
        {
            int layer = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture) + 1;
            string name =
                string.Create(CultureInfo.InvariantCulture, $"features.denseblock{match.Groups[1]}.denselayer{layer}");
            return Layer(name, match.Groups[3].Value, dot);
        }),
        new(@"backbone\.transition(\d)\.norm", "", "features.transition$1.norm"),
        new(@"backbone\.transition(\d)\.conv", "features.transition$1.conv"),
        new(@"backbone\.norm", "", "features.norm5"),
    ];

    /// <summary>
    /// norm 1, convolution 1, norm 2, convolution 2: the second norm belongs to the first convolution.
    /// </summary>
    private static LayerNames Layer(string name, string part, string dot) => part switch
    {
        "norm" => new("", $"{name}.norm{dot}1"),
        "conv1" => new($"{name}.conv{dot}1", $"{name}.norm{dot}2"),
        _ => new($"{name}.conv{dot}2", ""),
    };
}
