using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>Maximum over a window; cells outside the picture never win.</summary>
/// <param name="Kernel">The window size, both axes.</param>
/// <param name="Stride">The number of input pixels per output pixel.</param>
/// <param name="Padding">The number of cells around the picture, on all four sides.</param>
/// <param name="CeilMode">Whether the output's size is rounded up (Caffe, PyTorch's ceil_mode) instead of down.</param>
public sealed record MaxPool2d(int Kernel, int Stride, int Padding, bool CeilMode = false) : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        int height = Extent(x.Height), width = Extent(x.Width);
        return height > 0 && width > 0
            ? x with { Height = height, Width = width }
            : throw Misfit($"the input {x} is smaller than the window {Kernel}x{Kernel}");
    }

    private int Extent(int size)
    {
        int room = size + 2 * Padding - Kernel;
        if (room < 0)
            return 0;
        int extent = (CeilMode ? (room + Stride - 1) / Stride : room / Stride) + 1;
        // As in PyTorch: the last window must start inside the picture or its left padding.
        return (extent - 1) * Stride >= size + Padding ? extent - 1 : extent;
    }
}

/// <summary>Mean over a window without padding; what lies beyond the picture does not count.</summary>
/// <param name="KernelHeight">The number of rows of the window.</param>
/// <param name="KernelWidth">The number of columns of the window.</param>
/// <param name="Stride">The number of input pixels per output pixel.</param>
public sealed record AveragePool2d(int KernelHeight, int KernelWidth, int Stride) : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    /// <summary>
    /// Round the output's size up (PyTorch's ceil_mode), so that the last windows may hang over, instead of down.
    /// </summary>
    public bool CeilMode { get; init; }

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        int height = Extent(x.Height, KernelHeight), width = Extent(x.Width, KernelWidth);
        return height > 0 && width > 0
            ? x with { Height = height, Width = width }
            : throw Misfit($"the input {x} is smaller than the window {KernelHeight}x{KernelWidth}");
    }

    private int Extent(int size, int kernel)
    {
        if (!CeilMode)
            return size < kernel ? 0 : (size - kernel) / Stride + 1;
        int extent = (Math.Max(size - kernel, 0) + Stride - 1) / Stride + 1;
        // As in PyTorch: the last window must start inside the picture.
        return (extent - 1) * Stride >= size ? extent - 1 : extent;
    }
}

/// <summary>Mean over the whole picture: 1x1 per channel (ASPP's image pooling, squeeze-and-excite).</summary>
public sealed record GlobalAveragePool : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) => inputs[0] with { Height = 1, Width = 1 };
}
