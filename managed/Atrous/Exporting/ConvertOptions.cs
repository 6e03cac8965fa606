using Atrous.Tensors;

namespace Atrous.Exporting;

/// <summary>How a converted file stores its weights.</summary>
public sealed record ConvertOptions
{
    /// <summary>Float32, Float16 or BFloat16.</summary>
    public DType Type { get; init; } = DType.Float32;

    /// <summary>
    /// Batch norms are multiplied into the convolutions that they follow, so that each has a kernel and a bias.
    /// </summary>
    public bool FoldBatchNorm { get; init; }
}

/// <summary>What was written.</summary>
/// <param name="Tensors">The number of tensors in the file.</param>
/// <param name="Parameters">The number of elements of all tensors together.</param>
/// <param name="Bytes">The size of the file.</param>
public sealed record ConvertResult(int Tensors, long Parameters, long Bytes)
{
    /// <summary>The model that was read.</summary>
    public required ModelInfo Model { get; init; }
}
