using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Where an output pixel samples the input. The numbers are those of <c>atrous_sampling</c> in atrous.h.
/// </summary>
public enum Sampling
{
    /// <summary>align_corners=false: source = (i + 0.5) * scale - 0.5, not below 0.</summary>
    HalfPixel = 0,

    /// <summary>align_corners=true: source = i * (input - 1) / (output - 1).</summary>
    AlignCorners = 1,

    /// <summary>TensorFlow's legacy grid: source = i * scale.</summary>
    Asymmetric = 2,
}

/// <summary>Bilinear interpolation to a given size.</summary>
/// <param name="Height">The number of rows of the output.</param>
/// <param name="Width">The number of columns of the output.</param>
/// <param name="Sampling">Where samples are taken; it is part of the model, and the wrong one shifts the mask.</param>
/// <param name="Scale">
/// The number of input pixels per output pixel where the original was given a scale factor instead of a size; 0 means
/// input / output. Unused by <see cref="Sampling.AlignCorners"/>.
/// </param>
public sealed record ResizeBilinear(int Height, int Width, Sampling Sampling, float Scale = 0) : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        Height > 0 && Width > 0
            ? inputs[0] with { Height = Height, Width = Width }
            : throw Misfit("the output is empty");
}
