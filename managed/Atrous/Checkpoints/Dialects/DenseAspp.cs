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
    private const string MobileNetStem = "features.features.0.0.weight";
    private static readonly int[] Rates = [3, 6, 12, 18, 24];

    public override string Name => "DenseASPP";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, Published, Classifier) ?? Evidence.Keys(checkpoint, Modern, Classifier);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        int outputStride = choice.OutputStride(8, 8, 16);
        Sampling sampling = choice.AlignCorners(
            true, "resizes align corners, as they did in the PyTorch that trained the published weights");
        int classes = checkpoint.Outputs(Classifier);
        string dot = checkpoint.Has(Published) ? "." : "";
        NamedBackbone backbone = checkpoint.Has(MobileNetStem)
            ? MobileNet(outputStride)
            : DenseNet(checkpoint, "", dot, outputStride, sampling);
        int channels = checkpoint.InputChannels(backbone.Stem);
        // The names of the branches have the repository's own rates, whatever the module was made with.
        int[] rates = choice.Rates(
            checkpoint, Rates, "3,6,12,18,24", branch => [$"ASPP_{Rates[branch - 1]}.conv{dot}2.weight"]);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = new DenseAsppHeadSpec { Rates = rates },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = sampling,
                Forward = new ForwardResult(8),
            },
            Names = new NameMap(
            [
                .. backbone.Names,
                new(@"aspp\.branch(\d)\.(norm|conv1|conv2)", match =>
                    Layer($"ASPP_{Rates[match.Number(1)]}", match.Groups[2].Value, dot)),
                new("classifier", "classification.1"),
            ]),
            Preprocessing = Normalisation.Of(
                [0.290101f, 0.328081f, 0.286964f], [0.182954f, 0.186566f, 0.184475f]).For(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Cityscapes),
            ReadWhole = ["features.", "ASPP_", "classification."],
        };
    }

    private static NamedBackbone MobileNet(int outputStride) => new(
        BackboneShapes.MobileNetV2(outputStride, DilationRule.Full, firstExpands: true, lastStride: 1) with
        {
            StemActivation = Activation.Relu,
        },
        BackboneNames.MobileNetV2(_ => "features.features.", flat: true, firstExpands: true),
        MobileNetStem);

    /// <summary>torchvision's DenseNet, dilated; its features are enlarged to output stride 8.</summary>
    /// <param name="checkpoint">The file, whose keys tell the depth.</param>
    /// <param name="prefix">What stands before "features.".</param>
    /// <param name="dot">What stands before the numbers of a layer's norms and convolutions: a dot, or nothing.</param>
    /// <param name="outputStride">The output stride, 8 or 16.</param>
    /// <param name="sampling">The grid on which features are enlarged.</param>
    public static NamedBackbone DenseNet(
        ICheckpoint checkpoint, string prefix, string dot, int outputStride, Sampling sampling)
    {
        string features = prefix + "features.";
        int[] blocks = BackboneShapes.CountBlocks(
            checkpoint,
            (stage, layer) => $"{features}denseblock{stage}.denselayer{layer + 1}.conv{dot}1.weight");
        var spec = new DenseNetSpec
        {
            Name = $"DenseNet-{2 * blocks.Sum() + 5}",
            Blocks = blocks,
            Stages = BackboneShapes.ResNetStages(outputStride, DilationRule.Full),
            Upsampling = outputStride / 8,
            UpsamplingGrid = sampling,
        };
        NameMap.Row[] names =
        [
            new(@"backbone\.stem", features + "conv0", features + "norm0"),
            new(@"backbone\.block(\d)\.(\d+)\.(norm|conv1|conv2)", match => Layer(
                $"{features}denseblock{match.Groups[1]}.denselayer{match.Number(2) + 1}", match.Groups[3].Value, dot)),
            new(@"backbone\.transition(\d)\.norm", "", features + "transition$1.norm"),
            new(@"backbone\.transition(\d)\.conv", features + "transition$1.conv"),
            new(@"backbone\.norm", "", features + "norm5"),
        ];
        return new(spec, names, features + "conv0.weight");
    }

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
