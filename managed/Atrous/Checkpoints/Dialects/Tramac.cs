using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Tramac/awesome-semantic-segmentation-pytorch: DeepLabV3 on a ResNet with a deep stem, DeepLabV3+ on Xception and
/// DenseASPP on DenseNet; align_corners=true everywhere, output stride 8.
/// </summary>
internal sealed class Tramac : Dialect
{
    private const string Backbone = "pretrained.", V3 = "head.aspp.b0.0.weight";
    private const string LowLevel = "head.c1_block.conv.weight", Dense = "head.dense_aspp_block.aspp_3.conv1.weight";
    private const string Stem = Backbone + "conv1.0.weight", DenseStem = Backbone + "features.conv0.weight";
    private const string XceptionStem = Backbone + "conv1.weight", LastBlock = Backbone + "block20.skip.weight";

    private static readonly int[] DenseRates = [3, 6, 12, 18, 24];

    public override string Name => "Tramac";

    public override string? Recognise(ICheckpoint checkpoint) =>
        Evidence.Keys(checkpoint, V3, Stem) ?? Evidence.Keys(checkpoint, V3, XceptionStem)
        ?? Evidence.Keys(checkpoint, Dense, DenseStem);

    protected override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        if (checkpoint.Weights.Keys.Any(name => name.StartsWith("jpu.", StringComparison.Ordinal)))
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has joint pyramid upsampling (jpu) between backbone and head, which Atrous " +
                "does not have.");
        }
        bool dense = checkpoint.Has(Dense), plus = checkpoint.Has(LowLevel);
        int outputStride = dense ? choice.OutputStride(8, 8, 16) : choice.OutputStride(8, 8);
        NamedBackbone backbone = dense ? DenseNet(checkpoint, outputStride)
            : plus && checkpoint.Has(LastBlock) ? Xception()
            : (plus ? null : ResNet(checkpoint, outputStride))
            ?? throw NamedBackbone.Unknown(
                checkpoint, "Tramac's head on a backbone", "ResNet for DeepLabV3 and Xception-65 for DeepLabV3+");
        string classifier = dense ? "head.block.1" : "head.block.4";
        int channels = checkpoint.InputChannels(backbone.Stem), classes = checkpoint.Outputs(classifier + ".weight");
        int[] rates = choice.Rates(
            checkpoint, dense ? DenseRates : AsppSpec.StandardRates(8), dense ? "3,6,12,18,24" : "12,24,36",
            branch => [dense ? DenseBranch(branch - 1) + ".conv2.weight" : $"head.aspp.b{branch}.block.0.weight"]);
        AsppSpec aspp = HeadShapes.Aspp(rates, Sampling.AlignCorners);
        return new ModelDescription
        {
            Network = new NetworkSpec
            {
                Backbone = backbone.Spec,
                Head = dense ? new DenseAsppHeadSpec { Rates = rates, NormsFollow = true }
                    : plus ? new DeepLabV3PlusHeadSpec
                    {
                        Aspp = aspp,
                        LowLevelKernel = 3,
                        Sampling = Sampling.AlignCorners,
                    }
                    : new DeepLabV3HeadSpec { Aspp = aspp, Hidden = ConvolutionStyle.Dense },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = classes,
                FinalSampling = Sampling.AlignCorners,
            },
            Names = new NameMap([.. backbone.Names, .. dense ? DenseHead : Head, new("classifier", classifier)]),
            Preprocessing = Normalisation.ImageNet(channels),
            ClassNames = ClassNames.OfSize(classes, ClassNames.Voc, ClassNames.Cityscapes),
            TrainingOnly = ["auxlayer.", .. NamedBackbone.ImageClassifier(Backbone)],
            ReadWhole = [Backbone, "head."],
        };
    }

    private static NameMap.Row[] Head =>
    [
        new(@"aspp\.branch0", "head.aspp.b0.0", "head.aspp.b0.1"),
        new(@"aspp\.branch(\d)", "head.aspp.b$1.block.0", "head.aspp.b$1.block.1"),
        new(@"aspp\.pool", "head.aspp.b4.gap.1", "head.aspp.b4.gap.2"),
        new(@"aspp\.project", "head.aspp.project.0", "head.aspp.project.1"),
        new("head", "head.block.0", "head.block.1"),
        new(@"decoder\.low_level", "head.c1_block.conv", "head.c1_block.bn"),
        HeadNames.Parts(@"decoder\.fuse(\d)", match => $"head.block.{2 * match.Number(1)}", ".conv", ".bn"),
    ];

    private static NameMap.Row[] DenseHead =>
    [
        new(@"aspp\.branch(\d)\.conv(\d)", match => new(
            $"{DenseBranch(match.Number(1))}.conv{match.Groups[2]}",
            $"{DenseBranch(match.Number(1))}.bn{match.Groups[2]}")),
    ];

    /// <summary>The names of the branches have the repository's own rates, whatever the module was made with.</summary>
    private static string DenseBranch(int branch) => $"head.dense_aspp_block.aspp_{DenseRates[branch]}";

    private static NamedBackbone? ResNet(ICheckpoint checkpoint, int outputStride) =>
        NamedBackbone.FindDeepResNet(checkpoint, Backbone, outputStride, DilationRule.FirstBlockPrevious);

    /// <summary>
    /// As its forks have it, with a ReLU behind the stem and without a norm in the last block's middle.
    /// </summary>
    private static NamedBackbone Xception()
    {
        XceptionSpec spec = Xception65.Spec(8);
        int last = spec.Blocks.Count;
        return new(
            spec with
            {
                StemActivated = true,
                Blocks = [.. spec.Blocks.SkipLast(1), spec.Blocks[^1] with { Unnormed = 2 }],
                LowLevel = XceptionTap.Block2Input,
            },
            [
                // Where no norm was counted, all that follows stands one place earlier.
                new($@"backbone\.block{last}\.sep3\.depthwise", At(last, "6.conv1"), At(last, "6.bn")),
                new($@"backbone\.block{last}\.sep3\.pointwise", At(last, "6.pointwise"), At(last, "7")),
                new(@"backbone\.block([4-9]|1\d)\.sep(\d)\.depthwise", match => new(
                    Middle(match.Number(1), match.Number(2), ".conv1"),
                    Middle(match.Number(1), match.Number(2), ".bn"))),
                new(@"backbone\.block([4-9]|1\d)\.sep(\d)\.pointwise", match => new(
                    Middle(match.Number(1), match.Number(2), ".pointwise"),
                    Middle(match.Number(1), match.Number(2), "", 1))),
                .. BackboneNames.Xception(Backbone, unactivated: 2),
            ],
            XceptionStem);

        static string At(int block, string part) => $"{Backbone}block{block}.rep.{part}";

        static string Middle(int block, int convolution, string part, int behind = 0) =>
            $"{Backbone}midflow.{block - 4}.rep.{3 * convolution - 2 + behind}{part}";
    }

    private static NamedBackbone DenseNet(ICheckpoint checkpoint, int outputStride)
    {
        NamedBackbone found = DenseAspp.DenseNet(
            checkpoint, Backbone, dot: "", outputStride, Sampling.AlignCorners);
        return found with { Spec = (DenseNetSpec)found.Spec with { LastTransition = false } };
    }
}
