namespace Atrous.Onnx;

/// <summary>What an exported network is made for.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>The one input size in pixels; null for any size, where the network allows that.</summary>
    public (int Height, int Width)? Size { get; init; }

    /// <summary>Pictures per run; null for any number.</summary>
    public int? Batch { get; init; }

    /// <summary>
    /// The input is "pixels", bytes [N, H, W, C] in RGB, and the file normalises them; otherwise it is "input", float32
    /// [N, C, H, W], normalised already. What changes a picture's size stays outside.
    /// </summary>
    public bool FromPixels { get; init; }

    /// <summary>
    /// The input is "pixels" as with <see cref="FromPixels"/>, of pictures of any size, and the file resizes them too,
    /// as the model's own rule is. Its one output is "output", scores of the picture's own pixels: the class of a pixel
    /// is the largest of them. Not with <see cref="Size"/>, since the model says the network's size.
    /// </summary>
    public bool FromPictures { get; init; }
}

/// <summary>What was written.</summary>
/// <param name="Size">The one input size that the file is for; null for any.</param>
/// <param name="FixedBecause">Why it is for one size although none was asked for; null otherwise.</param>
/// <param name="Outputs">The names of the outputs.</param>
/// <param name="Nodes">The number of operators in the graph.</param>
/// <param name="Bytes">The size of the file.</param>
public sealed record OnnxExportResult(
    (int Height, int Width)? Size, string? FixedBecause, IReadOnlyList<string> Outputs, int Nodes, long Bytes)
{
    /// <summary>
    /// The model that was read. What it does around its network (the size of pictures, a window that slides) is not in
    /// the file that was written.
    /// </summary>
    public required ModelInfo Model { get; init; }
}
