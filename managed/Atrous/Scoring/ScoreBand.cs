using Atrous.Postprocessing;
using Atrous.Tensors;

namespace Atrous.Scoring;

/// <summary>
/// The scores of those rows of a picture that windows still add to. Rows leave it as labels as soon as they are final,
/// so that the scores of the whole picture, which may be gigabytes, never exist.
/// </summary>
internal sealed class ScoreBand : IDisposable
{
    private readonly Tensor _scores;

    /// <summary>All scores 0.</summary>
    /// <param name="rows">Rows of a window, which are held at a time.</param>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="classes">Scores of a pixel.</param>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public ScoreBand(int rows, int width, int classes)
    {
        _scores = new Tensor(new Shape(1, rows, width, classes));
        ScoreArithmetic.Clear(_scores);
    }

    /// <summary>Adds a window whose first row is the band's first.</summary>
    /// <param name="scores">[N, rows of the band, columns of the window, classes].</param>
    /// <param name="index">Which of the N.</param>
    /// <param name="left">The window's first column in the picture.</param>
    /// <param name="rows">A weight per row.</param>
    /// <param name="columns">A weight per column.</param>
    public void Add(Tensor scores, int index, int left, ReadOnlySpan<float> rows, ReadOnlySpan<float> columns)
    {
        int classes = scores.Shape.Channels;
        ReadOnlySpan<float> from = scores.Image<float>(index);
        for (int y = 0; y < rows.Length; y++)
        {
            Span<float> to = Row(y).Slice(left * classes, columns.Length * classes);
            ScoreArithmetic.AddPixels(from.Slice(y * to.Length, to.Length), to, classes, rows[y], columns);
        }
    }

    /// <summary>Takes the first rows out as labels; the others move up and zeros follow.</summary>
    /// <param name="rows">The number of rows to take, which no window adds to any more.</param>
    /// <param name="form">What the scores are.</param>
    /// <param name="threshold">Above which probability a pixel is of the second of two classes.</param>
    /// <param name="labels">Gets a label per pixel.</param>
    /// <param name="confidence">Gets the probability of each; empty for none.</param>
    public void Take(int rows, CrfScores form, double threshold, Span<ushort> labels, Span<float> confidence)
    {
        (_, int height, int width, int classes) = _scores.Shape;
        for (int y = 0; y < rows; y++)
        {
            Span<float> certain = confidence.IsEmpty ? [] : confidence.Slice(y * width, width);
            ScoreArithmetic.Winners(Row(y), classes, form, threshold, labels.Slice(y * width, width), certain);
        }
        for (int y = rows; y < height; y++)
            Row(y).CopyTo(Row(y - rows));
        for (int y = height - rows; y < height; y++)
            Row(y).Clear();
    }

    public void Dispose() => _scores.Dispose();

    private Span<float> Row(int y) => _scores.Row(0, y);
}
