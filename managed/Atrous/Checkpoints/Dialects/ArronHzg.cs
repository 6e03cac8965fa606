using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// ArronHZG/segmentation-pytorch: DeepLabV3+ with LeakyReLU(0.01) in backbone and decoder, ReLU in ASPP and in the low-level
/// projection, align_corners=true everywhere, logits resized to the input's size.
/// </summary>
internal sealed class ArronHzg : Dialect
{
    private const string Key = "ASSP.aspp1.0.weight", DecoderKey = "decoder.low_level_conv.0.weight";
    private static readonly Activation Leaky = Activation.LeakyRelu(0.01f);

    public override string Name => "ArronHZG";

    public override string? Recognise(ICheckpoint checkpoint) =>
        checkpoint.Weights.ContainsKey(Key) && checkpoint.Weights.ContainsKey(DecoderKey) ? $"{Key}, {DecoderKey}" : null;

    public override ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        bool resNet = checkpoint.Weights.ContainsKey("backbone.layer0.0.weight");
        int outputStride = choice.OutputStride(16, 8, 16);
        int channels = checkpoint.InputChannels(resNet ? "backbone.layer0.0.weight" : "backbone.conv1.weight");
        return new ModelDescription
        {
            Dialect = Name,
            Evidence = Recognise(checkpoint)!,
            Network = new NetworkSpec
            {
                Backbone = resNet ? ResNet(checkpoint, outputStride) : Xception(outputStride),
                Head = new DeepLabV3PlusHeadSpec
                {
                    Aspp = new AsppSpec
                    {
                        Rates = outputStride == 16 ? [6, 12, 18] : [12, 24, 36],
                        ImagePooling = new ImagePoolingSpec { Sampling = Sampling.AlignCorners },
                    },
                    Activation = Leaky,
                    Sampling = Sampling.AlignCorners,
                },
                OutputStride = outputStride,
                InputChannels = channels,
                Classes = checkpoint.Outputs("decoder.output.7.weight"),
                FinalSampling = Sampling.AlignCorners,
            },
            Names = new NameMap(
            [
                .. resNet ? BackboneNames.ResNet("backbone.", "layer0.0", "layer0.1") : BackboneNames.Xception("backbone."),
                new(@"aspp\.branch(\d)", match => Branch(match.Groups[1].ValueSpan[0] - '0' + 1)),
                new(@"aspp\.pool", "ASSP.avg_pool.1", "ASSP.avg_pool.2"),
                new(@"aspp\.project", "ASSP.conv1", "ASSP.bn1"),
                new(@"decoder\.low_level", "decoder.low_level_conv.0", "decoder.low_level_conv.1"),
                new(@"decoder\.fuse0", "decoder.output.0", "decoder.output.1"),
                new(@"decoder\.fuse1", "decoder.output.3", "decoder.output.4"),
                new("classifier", "decoder.output.7"),
            ]),
            Preprocessing = channels == 4 ? Rssrai : Normalisation.ImageNet(channels),
            Switches = choice.Switches,
        };
    }

    /// <summary>The repository's statistics of the four bands of the RSSRAI aerial pictures, in their files' order.</summary>
    private static readonly PreprocessingSpec Rssrai = PreprocessingSpec.ImageNet with
    {
        Mean = [0.52891074f, 0.38070734f, 0.40119018f, 0.36884733f],
        Std = [0.24007008f, 0.23784f, 0.22267079f, 0.21865861f],
    };

    private static LayerNames Branch(int number) => new($"ASSP.aspp{number}.0", $"ASSP.aspp{number}.1");

    private static ResNetSpec ResNet(ICheckpoint checkpoint, int outputStride)
    {
        int[] blocks = BackboneShapes.ResNetBlocks(checkpoint, (stage, block) => $"backbone.layer{stage}.{block}.conv1.weight");
        return new ResNetSpec
        {
            Name = BackboneShapes.ResNetName(blocks),
            Blocks = blocks,
            Stages = BackboneShapes.ResNetStages(outputStride, DilationRule.Full),
            Activation = Leaky,
        };
    }

    private static XceptionSpec Xception(int outputStride)
    {
        int dilation = outputStride == 8 ? 2 : 1;
        var middle = new XceptionBlock(3, 1, dilation, StartsActivated: true, ConvolutionSkip: false);
        return new XceptionSpec
        {
            Name = "Xception-65",
            Activation = Leaky,
            Blocks =
            [
                new XceptionBlock(3, 2, 1, StartsActivated: false, ConvolutionSkip: true),
                // The original applies a plain ReLU between blocks 1 and 2.
                new XceptionBlock(3, 2, 1, StartsActivated: true, ConvolutionSkip: true) { InputActivation = Activation.Relu },
                new XceptionBlock(3, outputStride == 8 ? 1 : 2, 1, StartsActivated: true, ConvolutionSkip: true),
                .. Enumerable.Repeat(middle, 16),
                new XceptionBlock(3, 1, dilation, StartsActivated: true, ConvolutionSkip: true),
            ],
            Exit = [.. Enumerable.Repeat(new XceptionExit(2 * dilation), 3)],
            // Its in-place activations reach the skip branches.
            ConvolutionSkipActivated = true,
            IdentitySkipActivated = true,
            LowLevel = XceptionTap.Block1,
        };
    }
}
