namespace Atrous.Specs;

/// <summary>
/// Trades stride for dilation so that the network's output stride is as asked (Chen et al. 2017, arXiv:1706.05587,
/// section 3.1): a stage whose stride would exceed it keeps its resolution, and what follows is dilated instead.
/// </summary>
internal static class DilationPlan
{
    /// <summary>Stride of a stage's first block, dilation of that block, dilation of the others.</summary>
    public readonly record struct Stage(int Stride, int FirstDilation, int Dilation);

    /// <summary>Plans the stages of a backbone.</summary>
    /// <param name="stemStride">Stride of what comes before the first stage.</param>
    /// <param name="strides">The stages' strides in the undilated network.</param>
    /// <param name="outputStride">A product of the strides up to some stage: 8, 16 or 32.</param>
    /// <param name="rule">What the first block of a dilated stage gets.</param>
    public static Stage[] Of(int stemStride, IReadOnlyList<int> strides, int outputStride, DilationRule rule)
    {
        var stages = new Stage[strides.Count];
        int stride = stemStride, dilation = 1;
        for (int i = 0; i < stages.Length; i++)
        {
            int previous = dilation;
            bool traded = strides[i] > 1 && stride * strides[i] > outputStride;
            if (traded)
                dilation *= strides[i];
            else
                stride *= strides[i];
            stages[i] = new Stage(
                traded ? 1 : strides[i],
                rule == DilationRule.Full ? dilation : previous,
                rule == DilationRule.NextStage ? previous : dilation);
        }
        return stages;
    }

    /// <summary>
    /// Blocks that already have an output stride, at a smaller one: strides beyond it go, and what follows is dilated
    /// that much more. A block that loses its stride keeps its dilation
    /// (<see cref="DilationRule.FirstBlockPrevious"/>).
    /// </summary>
    /// <param name="stemStride">Stride of what comes before the blocks.</param>
    /// <param name="blocks">The blocks in forward order.</param>
    /// <param name="outputStride">At most the blocks' own.</param>
    public static InvertedResidual[] Denser(int stemStride, IReadOnlyList<InvertedResidual> blocks, int outputStride)
    {
        var denser = new InvertedResidual[blocks.Count];
        int stride = stemStride, dilation = 1;
        for (int i = 0; i < denser.Length; i++)
        {
            InvertedResidual block = blocks[i];
            bool traded = stride * block.Stride > outputStride;
            denser[i] = block with { Stride = traded ? 1 : block.Stride, Dilation = block.Dilation * dilation };
            if (traded)
                dilation *= block.Stride;
            else
                stride *= block.Stride;
        }
        return denser;
    }
}
