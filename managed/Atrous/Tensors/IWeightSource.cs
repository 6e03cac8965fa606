namespace Atrous.Tensors;

/// <summary>What a tensor of a checkpoint is, without its data.</summary>
/// <param name="Name">The name that the tensor has in the file.</param>
/// <param name="Type">How it is stored; reading converts to float32.</param>
/// <param name="Shape">The sizes in the framework's order: OIHW for convolutions.</param>
internal sealed record WeightInfo(string Name, DType Type, int[] Shape)
{
    /// <summary>What the file says of the layer that it is the weight of; null for most files.</summary>
    public LayerFacts? Layer { get; init; }

    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>
/// Named weights, read on demand: the only thing that a model sees of a checkpoint. Safe to use from many threads.
/// </summary>
internal interface IWeightSource : IDisposable
{
    /// <summary>The file, for messages; empty where there is none.</summary>
    string Path => "";

    /// <summary>How messages call it: the file by its path.</summary>
    sealed string Title => Path.Length > 0 ? $"'{Path}'" : "The checkpoint";

    /// <summary>Every tensor by its name, in the file's order.</summary>
    IReadOnlyDictionary<string, WeightInfo> Weights { get; }

    /// <summary>
    /// Writes the tensor's elements in row-major order of its shape, converted to float32 (from any stored type).
    /// </summary>
    /// <exception cref="ModelException">The file ends early, or was changed since it was opened.</exception>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    void Read(string name, Span<float> destination);
}
