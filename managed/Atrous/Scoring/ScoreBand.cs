using Atrous.Postprocessing;
using Atrous.Tensors;

namespace Atrous.Scoring;

/// <summary>
/// The scores of those pixels of a picture that windows still add to: the window that is at work, and the rows that the
/// windows below will add to. Pixels leave it as labels as soon as they are final, so that the scores of the whole
/// picture, which may be gigabytes, never exist.
/// </summary>
internal sealed class ScoreBand : IDisposable
{
    private readonly Tensor _window;
    private readonly Tensor? _below;
    private readonly int _columns, _classes;
    private int _left, _begun, _rows;

    /// <param name="rows">The most rows of a window, or of two that are worked on together.</param>
    /// <param name="columns">The number of columns of a window.</param>
    /// <param name="shared">The most rows that two windows, one above the other, both cover.</param>
    /// <param name="width">The number of columns of the picture.</param>
    /// <param name="classes">The number of scores of a pixel.</param>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public ScoreBand(int rows, int columns, int shared, int width, int classes)
    {
        (_columns, _classes) = (columns, classes);
        _window = new Tensor(new Shape(1, rows, columns, classes));
        _below = shared > 0 ? new Tensor(new Shape(1, shared, width, classes)) : null;
    }

    /// <summary>Begins a row of windows.</summary>
    /// <param name="begun">How many of its first rows the windows above have added to.</param>
    /// <param name="rows">How many rows of pixels it has.</param>
    public void BeginRow(int begun, int rows) => (_begun, _left, _rows) = (begun, -_columns, rows);

    /// <summary>Adds a window, which lies to the right of the one before, or in other rows of the same place.</summary>
    /// <param name="scores">[N, rows of a window, columns of a window, classes].</param>
    /// <param name="index">Which of the N.</param>
    /// <param name="top">The window's first row in the row of windows.</param>
    /// <param name="left">The window's first column in the picture.</param>
    /// <param name="rows">A weight per row.</param>
    /// <param name="columns">A weight per column.</param>
    public void Add(
        Tensor scores, int index, int top, int left, ReadOnlySpan<float> rows, ReadOnlySpan<float> columns)
    {
        MoveTo(left);
        ReadOnlySpan<float> from = scores.Image<float>(index);
        for (int y = 0; y < rows.Length; y++)
        {
            Span<float> to = _window.Row(0, top + y);
            ScoreArithmetic.AddPixels(from.Slice(y * to.Length, to.Length), to, _classes, rows[y], columns);
        }
    }

    /// <summary>Takes the window's first columns, which no window of this row adds to any more.</summary>
    /// <param name="columns">The number of columns.</param>
    /// <param name="rows">The number of rows that are final too; the others are kept for the windows below.</param>
    /// <param name="decision">What the scores are, and what is asked of them.</param>
    /// <param name="width">The number of columns of the picture.</param>
    /// <param name="labels">Gets a label per pixel of whole rows.</param>
    /// <param name="confidence">Gets the probability of each; empty for none.</param>
    /// <param name="members">Gets the classes of each; empty where there is but one.</param>
    public void Take(
        int columns, int rows, Decision decision, int width, Span<ushort> labels, Span<float> confidence,
        Span<ulong> members)
    {
        for (int y = 0; y < _rows; y++)
        {
            Span<float> scores = _window.Row(0, y)[..(columns * _classes)];
            if (y < rows)
            {
                Range pixels = (y * width + _left)..(y * width + _left + columns);
                ScoreArithmetic.Winners(
                    scores, _classes, decision, labels[pixels], confidence.IsEmpty ? [] : confidence[pixels],
                    members.IsEmpty ? [] : members[pixels]);
            }
            else
            {
                scores.CopyTo(_below!.Row(0, y - rows)[(_left * _classes)..]);
            }
        }
    }

    public void Dispose()
    {
        _window.Dispose();
        _below?.Dispose();
    }

    /// <summary>
    /// Columns that the window before has added to move to the left; to the right come those that only the windows
    /// above have added to, or none.
    /// </summary>
    private void MoveTo(int left)
    {
        int kept = Math.Max(0, _left + _columns - left);
        for (int y = 0; y < _rows; y++)
        {
            Span<float> row = _window.Row(0, y);
            row[((_columns - kept) * _classes)..].CopyTo(row);
            Span<float> fresh = row[(kept * _classes)..];
            if (y < _begun)
                _below!.Row(0, y).Slice((left + kept) * _classes, fresh.Length).CopyTo(fresh);
            else
                fresh.Clear();
        }
        _left = left;
    }
}
