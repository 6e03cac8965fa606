namespace Atrous.Scoring;

/// <summary>
/// A square window that slides over a picture at the picture's own scale, for pictures that do not fit into memory
/// whole, or whose details a smaller one would lose. Where windows overlap, their scores blend smoothly.
/// </summary>
/// <remarks>
/// Windows lie as in mmsegmentation's slide mode: the last of a row or column is shifted back into the picture, and
/// along a side that is shorter than the window there is one, of the side's length. Scores are blended before the
/// argmax: logits, or the averaged probabilities of <see cref="TestTimeAugmentation"/>. Unlike there, a head with image
/// pooling pools the whole picture, in a first pass over all windows, so that neighbours are told the same and no seam
/// shows.
/// </remarks>
public sealed record SlidingWindow
{
    /// <summary>The smallest <see cref="Size"/>.</summary>
    public const int LeastSize = 32;

    /// <summary>The largest <see cref="Size"/>.</summary>
    public const int MostSize = 16384;

    /// <summary>The largest <see cref="Overlap"/>: each pixel is then seen by some hundred windows.</summary>
    public const double MostOverlap = 0.9;

    /// <summary>What <see cref="Overlap"/> is where nobody says it.</summary>
    internal const double UsualOverlap = 0.33;

    private const int Grid = 16;

    /// <param name="size">The number of pixels of each of its sides.</param>
    /// <param name="overlap">The share of it that the next window covers too, 0 to <see cref="MostOverlap"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size or the overlap is not within its bounds.</exception>
    public SlidingWindow(int size, double overlap = UsualOverlap)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, LeastSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MostSize);
        if (overlap is not (>= 0 and <= MostOverlap))
            throw new ArgumentOutOfRangeException(
                nameof(overlap), overlap, $"The overlap lies between 0 and {MostOverlap}.");
        (Size, Overlap) = (size, overlap);
    }

    /// <summary>Pixels of its sides.</summary>
    public int Size { get; }

    /// <summary>The share of it that the next window covers too.</summary>
    public double Overlap { get; }

    /// <summary>
    /// Pixels from one window to the next: rounded down to a multiple of 16, where it is larger, so that networks of
    /// output stride 16 or less sample every window on the same grid.
    /// </summary>
    public int Stride =>
        Math.Max((int)(Size * (1 - Overlap)), 1) is var stride && stride > Grid ? stride - stride % Grid : stride;

    /// <summary>How many windows a picture of a size takes.</summary>
    internal long CountFor(int height, int width) =>
        (long)WindowAxis.CountOf(height, Size, Stride) * WindowAxis.CountOf(width, Size, Stride);
}
