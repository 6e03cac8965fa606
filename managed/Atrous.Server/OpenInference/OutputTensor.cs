using Atrous.Postprocessing;
using Atrous.Tensors;

namespace Atrous.Server.OpenInference;

/// <summary>An output of an answer.</summary>
/// <param name="Name">One of the outputs' names in <see cref="ModelSurface"/>.</param>
/// <param name="Type">UINT8, UINT16, FP32 or BYTES.</param>
/// <param name="Binary">After the JSON, or in it.</param>
internal sealed record OutputTensor(string Name, TensorType Type, bool Binary)
{
    /// <summary>Elements that each pixel has; 0 where those of a picture do not depend on its size.</summary>
    public int ElementsPerPixel { get; init; } = 1;

    /// <summary>Its elements are texts, and no numbers.</summary>
    public bool IsText => Type == TensorType.Bytes;

    /// <summary>The dimensions of the output for these results.</summary>
    public long[] ShapeOf(InferredMasks results)
    {
        Segmentation mask = results.Masks[0];
        return Name switch
        {
            ModelSurface.Polygons => [results.Masks.Count],
            ModelSurface.Shares => [results.Masks.Count, mask.Classes],
            ModelSurface.Probabilities =>
                [results.Masks.Count, mask.Height, mask.Width, results.Probabilities[0].Shape.Channels],
            _ => [results.Masks.Count, mask.Height, mask.Width],
        };
    }

    /// <summary>The size of the output for these results; each text stands behind its length.</summary>
    public long BytesOf(InferredMasks results) => IsText
        ? results.Polygons.Sum(text => (long)sizeof(uint) + text.Length)
        : ShapeOf(results).Aggregate(1L, (product, side) => product * side) * Type.SizeInBytes();

    /// <summary>How many numbers a picture has in it.</summary>
    public int LengthOf(InferredMasks results) =>
        (int)ShapeOf(results).Skip(1).Aggregate(1L, (product, side) => product * side);

    /// <summary>The numbers of a picture, where they are FP32.</summary>
    public ReadOnlySpan<float> FloatsOf(InferredMasks results, int picture) => Name switch
    {
        ModelSurface.Shares => SharesOf(results.Masks[picture]),
        ModelSurface.Probabilities => results.Probabilities[picture].Image<float>(0),
        _ => results.Masks[picture].Confidence,
    };

    private static float[] SharesOf(Segmentation mask)
    {
        var shares = new float[mask.Classes];
        foreach (ClassShare share in mask.Shares)
            shares[share.Label] = (float)share.Share;
        return shares;
    }
}

/// <summary>Results, with their part of the memory that pictures may take together.</summary>
/// <param name="Masks">In the order of the request's pictures.</param>
/// <param name="Room">The memory, which is given back with them.</param>
internal sealed record InferredMasks(IReadOnlyList<Segmentation> Masks, IDisposable Room) : IDisposable
{
    /// <summary>A tensor for each picture, where they were asked for.</summary>
    public IReadOnlyList<Tensor> Probabilities { get; init; } = [];

    /// <summary>JSON for each picture, where it was asked for.</summary>
    public IReadOnlyList<byte[]> Polygons { get; init; } = [];

    /// <summary>What an answer of them is in until the client has it, freed with them.</summary>
    public ICollection<UnmanagedBytes> Answer { get; } = [];

    public void Dispose()
    {
        foreach (UnmanagedBytes block in Answer)
            block.Free();
        foreach (Tensor tensor in Probabilities)
            tensor.Dispose();
        Room.Dispose();
    }
}
