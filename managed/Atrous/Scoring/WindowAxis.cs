namespace Atrous.Scoring;

/// <summary>Where windows lie along one side of a picture, and how much each of their pixels counts.</summary>
internal sealed class WindowAxis
{
    private readonly Func<int, int, double> _weight;
    private readonly Dictionary<int, float[]> _weights = [];

    /// <summary>As many windows before and behind one share pixels with it.</summary>
    private readonly int _reach;

    private double[]? _shape;

    /// <summary>
    /// Windows that blend smoothly. A raised cosine: the middle of a window, which knows its surroundings, counts most.
    /// </summary>
    /// <param name="length">The number of pixels of the picture's side.</param>
    /// <param name="window">What slides along it.</param>
    public WindowAxis(int length, SlidingWindow window)
        : this(length, window.Size, window.Stride, (i, size) => Math.Pow(Math.Sin(Math.PI * (i + 0.5) / size), 2))
    {
    }

    /// <summary>Windows whose pixels all count the same.</summary>
    /// <param name="length">The number of pixels of the picture's side.</param>
    /// <param name="size">The number of pixels of a window.</param>
    /// <param name="stride">The number of pixels from one window to the next.</param>
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
        _weight = weight;
        _reach = (Size - 1) / stride;
        int count = CountOf(length, size, stride);
        Starts = [.. Enumerable.Range(0, count).Select(i => Math.Min(i * stride, length - Size))];
    }

    /// <summary>Pixels of a window.</summary>
    public int Size { get; }

    /// <summary>The first pixel of each window, ascending.</summary>
    public IReadOnlyList<int> Starts { get; }

    /// <summary>How many windows have weights of their own at most; those between the ends share theirs.</summary>
    public int DistinctWindows => Math.Min(Starts.Count, 2 * _reach + 3);

    /// <summary>The weight of each pixel of a window.</summary>
    public ReadOnlySpan<float> Weights(int window)
    {
        // Among neighbours of equal distances, far from both ends, all windows are alike. The last is shifted back.
        if (window >= _reach && window + _reach < Starts.Count - 2)
            window = _reach;
        if (!_weights.TryGetValue(window, out float[]? weights))
            _weights.Add(window, weights = WeightsOf(window));
        return weights;
    }

    /// <summary>
    /// Divided by the sum over all windows there, along each side by itself, the weights of every pixel of the picture
    /// sum to 1.
    /// </summary>
    private float[] WeightsOf(int window)
    {
        double[] shape = _shape ??= [.. Enumerable.Range(0, Size).Select(i => _weight(i, Size))];
        var sums = new double[Size];
        int last = Math.Min(window + _reach + 1, Starts.Count - 1);
        for (int other = Math.Max(window - _reach - 1, 0); other <= last; other++)
        {
            int shift = Starts[other] - Starts[window];
            for (int i = Math.Max(shift, 0); i < Math.Min(Size, Size + shift); i++)
                sums[i] += shape[i - shift];
        }
        return [.. shape.Select((value, i) => (float)(value / sums[i]))];
    }
}
