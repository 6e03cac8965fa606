namespace Atrous.Scoring;

/// <summary>Where windows lie along one side of a picture, and how much each of their pixels counts.</summary>
internal sealed class WindowAxis
{
    private readonly float[][] _weights;

    /// <param name="length">Pixels of the picture's side.</param>
    /// <param name="window">What slides along it.</param>
    public WindowAxis(int length, SlidingWindow window)
    {
        Size = Math.Min(window.Size, length);
        int count = (length - Size + window.Stride - 1) / window.Stride + 1;
        Starts = [.. Enumerable.Range(0, count).Select(i => Math.Min(i * window.Stride, length - Size))];

        // A raised cosine: the middle of a window, which knows its surroundings, counts most. Divided by the sum over
        // all windows here, along each side by itself, the weights of every pixel of the picture sum to 1.
        double[] shape = [.. Enumerable.Range(0, Size).Select(i => Math.Pow(Math.Sin(Math.PI * (i + 0.5) / Size), 2))];
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
