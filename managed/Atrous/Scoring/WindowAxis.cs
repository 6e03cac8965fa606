namespace Atrous.Scoring;

/// <summary>Where windows lie along one side of a picture, and how much each of their pixels counts.</summary>
internal sealed class WindowAxis
{
    private readonly float[][] _weights;

    /// <summary>
    /// Windows that blend smoothly. A raised cosine: the middle of a window, which knows its surroundings, counts most.
    /// </summary>
    /// <param name="length">Pixels of the picture's side.</param>
    /// <param name="window">What slides along it.</param>
    public WindowAxis(int length, SlidingWindow window)
        : this(length, window.Size, window.Stride, (i, size) => Math.Pow(Math.Sin(Math.PI * (i + 0.5) / size), 2))
    {
    }

    /// <summary>Windows whose pixels all count the same.</summary>
    /// <param name="length">Pixels of the picture's side.</param>
    /// <param name="size">Pixels of a window.</param>
    /// <param name="stride">Pixels from one window to the next.</param>
    public WindowAxis(int length, int size, int stride)
        : this(length, size, stride, (_, _) => 1)
    {
    }

    /// <summary>How many windows lie along a side, without laying them there.</summary>
    public static int CountOf(int length, int size, int stride) =>
        (length - Math.Min(size, length) + stride - 1) / stride + 1;

    private WindowAxis(int length, int size, int stride, Func<int, int, double> weight)
    {
        Size = Math.Min(size, length);
        int count = CountOf(length, size, stride);
        Starts = [.. Enumerable.Range(0, count).Select(i => Math.Min(i * stride, length - Size))];

        // Divided by the sum over all windows here, along each side by itself, the weights of every pixel of the
        // picture sum to 1.
        double[] shape = [.. Enumerable.Range(0, Size).Select(i => weight(i, Size))];
        var sums = new double[length];
        foreach (int start in Starts)
        {
            for (int i = 0; i < Size; i++)
                sums[start + i] += shape[i];
        }
        _weights = [.. Starts.Select(start => shape.Select((value, i) => (float)(value / sums[start + i])).ToArray())];
    }

    /// <summary>Pixels of a window.</summary>
    public int Size { get; }

    /// <summary>The first pixel of each window, ascending.</summary>
    public IReadOnlyList<int> Starts { get; }

    /// <summary>The weight of each pixel of a window.</summary>
    public ReadOnlySpan<float> Weights(int window) => _weights[window];
}
