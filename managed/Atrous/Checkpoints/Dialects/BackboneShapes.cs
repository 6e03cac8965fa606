using Atrous.Graph;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Backbones as the field's papers define them, and what a file's keys tell about their size.</summary>
internal static class BackboneShapes
{
    /// <summary>Counts the blocks of the stages by the keys of their first convolution.</summary>
    /// <param name="weights">The file's tensors, whose keys are counted.</param>
    /// <param name="firstConvolution">The key of a block's first kernel, given stage (1..4) and block (0..).</param>
    /// <param name="stages">The number of stages.</param>
    public static int[] CountBlocks(
        IWeightSource weights, Func<int, int, string> firstConvolution, int stages = 4)
    {
        var blocks = new int[stages];
        for (int stage = 0; stage < stages; stage++)
        {
            while (weights.Has(firstConvolution(stage + 1, blocks[stage])))
                blocks[stage]++;
        }
        return blocks;
    }

    /// <summary>A ResNet that is named as torchvision names it.</summary>
    /// <param name="weights">The file's tensors, whose keys tell the depth and the kind of block.</param>
    /// <param name="prefix">What stands before "layer1": "backbone.".</param>
    /// <param name="outputStride">8, 16 or 32.</param>
    /// <param name="rule">What the first block of a dilated stage gets.</param>
    public static ResNetSpec ResNet(IWeightSource weights, string prefix, int outputStride, DilationRule rule) =>
        ResNet(
            CountBlocks(weights, (stage, block) => $"{prefix}layer{stage}.{block}.conv1.weight"),
            outputStride, rule, bottleneck: weights.Has($"{prefix}layer1.0.conv3.weight"));

    /// <summary>
    /// A ResNet of so many blocks: "ResNet-50" and so on, by the number of layers, which are the convolutions of all
    /// blocks, the stem and the classifier.
    /// </summary>
    public static ResNetSpec ResNet(
        int[] blocks, int outputStride, DilationRule rule, bool bottleneck = true, int stemConvolutions = 1) => new()
        {
            Name = $"ResNet-{blocks.Sum() * (bottleneck ? 3 : 2) + stemConvolutions + 1}",
            Blocks = blocks,
            Stages = ResNetStages(outputStride, rule),
            Bottleneck = bottleneck,
            StemConvolutions = stemConvolutions,
        };

    /// <summary>ResNet's stages at an output stride.</summary>
    public static DilationPlan.Stage[] ResNetStages(int outputStride, DilationRule rule) =>
        DilationPlan.Of(4, [1, 2, 2, 2], outputStride, rule);

    /// <summary>
    /// MobileNetV2 with its 17 blocks at an output stride, table 2 of Sandler et al. 2018 (arXiv:1801.04381).
    /// </summary>
    /// <param name="outputStride">8, 16 or 32.</param>
    /// <param name="rule">What the first block of a dilated stage gets.</param>
    /// <param name="firstExpands">Block 1 has an expansion too.</param>
    /// <param name="lastStride">Stride of the sixth row, where it is dropped rather than traded (DenseASPP): 1.</param>
    public static InvertedResidualSpec MobileNetV2(
        int outputStride, DilationRule rule, bool firstExpands = false, int lastStride = 2)
    {
        (int Blocks, int Stride)[] table = [(1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, lastStride), (1, 1)];
        DilationPlan.Stage[] stages = DilationPlan.Of(2, [.. table.Select(row => row.Stride)], outputStride, rule);
        var blocks = new List<InvertedResidual>();
        for (int stage = 0; stage < table.Length; stage++)
        {
            for (int i = 0; i < table[stage].Blocks; i++)
            {
                bool first = i == 0;
                blocks.Add(new InvertedResidual(
                    first ? stages[stage].Stride : 1,
                    first ? stages[stage].FirstDilation : stages[stage].Dilation,
                    stage == 0 && !firstExpands ? 0 : 1,
                    3,
                    Residual: !first)
                {
                    // Those that were made without a stride have it where they keep the width, as at a quarter of it.
                    ResidualWhereAlike = table[stage].Stride == 1,
                });
            }
        }
        return new InvertedResidualSpec { Name = "MobileNetV2", Activation = Activation.Relu6, Blocks = blocks };
    }
}
