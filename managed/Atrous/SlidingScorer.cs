using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Tensors;

namespace Atrous;

/// <summary>The labels of a picture of any size, window by window, from the top to the bottom.</summary>
/// <param name="scorer">What scores the windows.</param>
/// <param name="window">The window, which slides over the picture.</param>
/// <param name="classes">The number of classes that the network scores.</param>
/// <param name="maxBatch">Windows that run together.</param>
/// <param name="mostSharedBytes">
/// What the scores may take that two rows of windows share, before the last two rows are worked on together.
/// </param>
internal sealed class SlidingScorer(
    PictureScorer scorer, SlidingWindow window, int classes, int maxBatch, long mostSharedBytes)
{
    /// <summary>
    /// Labels and, where asked for, the probability of each; and the classes of pixels that can be of several.
    /// </summary>
    /// <param name="photo">A picture of any size.</param>
    /// <param name="confidence">Whether to compute also the probability of every pixel's class.</param>
    /// <param name="run">The call that this is part of.</param>
    public (ushort[] Labels, float[] Confidence, ulong[] Members) Segment(
        Image photo, bool confidence, RunContext run)
    {
        var labels = new ushort[photo.Height * photo.Width];
        float[] certain = confidence ? new float[labels.Length] : [];
        ulong[] members = scorer.Decision.MultiLabel ? new ulong[labels.Length] : [];
        int width = photo.Width;
        Segment(new HeldPicture(photo), confidence, run, (top, rows, probabilities, classesOfRows) =>
        {
            rows.CopyTo(labels.AsSpan(top * width));
            probabilities.CopyTo(certain.AsSpan(confidence ? top * width : 0));
            classesOfRows.CopyTo(members.AsSpan(members.Length > 0 ? top * width : 0));
        });
        return (labels, certain, members);
    }

    /// <summary>Bytes that scores take at a time.</summary>
    /// <param name="height">The number of rows of the picture.</param>
    /// <param name="width">The number of columns of the picture.</param>
    /// <param name="copies">How often a window has scores at a time: once, or more where passes are averaged.</param>
    public long BytesFor(int height, int width, int copies)
    {
        WindowAxis rows = new(height, window), columns = new(width, window);
        List<int[]> groups = Groups(rows, width);
        long together = groups.Max(group => group.Length), batch = Math.Min(maxBatch, columns.Starts.Count);
        long pixels = groups.Max(group => HeightOf(rows, group)) * (long)columns.Size
            + Shared(rows, groups) * (long)width + together * batch * copies * rows.Size * columns.Size;
        long weights = (long)rows.DistinctWindows * rows.Size + (long)columns.DistinctWindows * columns.Size;
        return (pixels * classes + weights) * sizeof(float);
    }

    /// <summary>The same from the top to the bottom, for pictures and masks that are never held whole.</summary>
    /// <param name="photo">A picture of any size.</param>
    /// <param name="confidence">Whether to compute also the probability of every pixel's class.</param>
    /// <param name="run">The call that this is part of.</param>
    /// <param name="take">Gets the rows that are done.</param>
    public void Segment(IWindowSource photo, bool confidence, RunContext run, TakeRows take)
    {
        WindowAxis rows = new(photo.Height, window), columns = new(photo.Width, window);
        float[][]? contexts = rows.Starts.Count * columns.Starts.Count == 1
            ? null : Contexts(photo, rows, columns, run);
        List<int[]> groups = Groups(rows, photo.Width);
        int height = groups.Max(group => HeightOf(rows, group));
        var labels = new ushort[height * photo.Width];
        float[] certain = confidence ? new float[labels.Length] : [];
        ulong[] members = scorer.Decision.MultiLabel ? new ulong[labels.Length] : [];
        using var band = new ScoreBand(height, columns.Size, Shared(rows, groups), photo.Width, classes);
        int begun = 0;
        foreach (int[] group in groups)
        {
            int top = rows.Starts[group[0]], final = Next(rows, group[^1], photo.Height) - top;
            band.BeginRow(begun, HeightOf(rows, group));
            foreach (int[] batch in Enumerable.Range(0, columns.Starts.Count).Chunk(maxBatch))
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                // Both rows from one part, so that a file is read downwards alone.
                using var parts = new Parts(batch.Select(column =>
                    photo.Window(top, columns.Starts[column], HeightOf(rows, group), columns.Size)));
                using Tensor first = Score(parts, 0, rows.Size, contexts, run);
                using Tensor? second = group.Length == 1 ? null
                    : Score(parts, rows.Starts[group[1]] - top, rows.Size, contexts, run);
                for (int i = 0; i < batch.Length; i++)
                {
                    int left = columns.Starts[batch[i]];
                    band.Add(first, i, 0, left, rows.Weights(group[0]), columns.Weights(batch[i]));
                    if (second is not null)
                    {
                        band.Add(
                            second, i, rows.Starts[group[1]] - top, left, rows.Weights(group[1]),
                            columns.Weights(batch[i]));
                    }
                    band.Take(
                        Next(columns, batch[i], photo.Width) - left, final, scorer.Decision, photo.Width, labels,
                        certain, members);
                }
            }
            int pixels = final * photo.Width;
            take(
                top, labels.AsSpan(0, pixels), confidence ? certain.AsSpan(0, pixels) : [],
                members.Length > 0 ? members.AsSpan(0, pixels) : []);
            begun = HeightOf(rows, group) - final;
        }
    }

    /// <summary>
    /// Rows of windows that are worked on together. The last one is shifted back into the picture and shares most of
    /// its pixels with the one above; where their scores would take too much memory, both go along side by side.
    /// </summary>
    private List<int[]> Groups(WindowAxis rows, int width)
    {
        int count = rows.Starts.Count;
        long shared = count < 2 ? 0 : rows.Starts[^2] + rows.Size - rows.Starts[^1];
        int alone = shared * width * classes * sizeof(float) > mostSharedBytes ? count - 2 : count;
        List<int[]> groups = [.. Enumerable.Range(0, alone).Select(row => new[] { row })];
        if (alone < count)
            groups.Add([count - 2, count - 1]);
        return groups;
    }

    /// <summary>The most rows of pixels that a group shares with the next one.</summary>
    private static int Shared(WindowAxis rows, List<int[]> groups) => groups.Skip(1).Zip(groups, (next, group) =>
        rows.Starts[group[^1]] + rows.Size - rows.Starts[next[0]]).DefaultIfEmpty().Max();

    /// <summary>Rows of pixels from the first window's first to the last one's last.</summary>
    private static int HeightOf(WindowAxis rows, int[] group) =>
        rows.Starts[group[^1]] + rows.Size - rows.Starts[group[0]];

    /// <summary>Where the next window begins, or the picture ends.</summary>
    private static int Next(WindowAxis axis, int window, int length) =>
        window + 1 < axis.Starts.Count ? axis.Starts[window + 1] : length;

    /// <summary>
    /// What image pooling makes of the whole picture, from the features of all windows: each is then told the same as
    /// its neighbours and as the whole would be, and none ends in a seam. Null where the network has no image pooling.
    /// </summary>
    private float[][]? Contexts(
        IWindowSource photo, WindowAxis rows, WindowAxis columns, RunContext run)
    {
        if (!scorer.HasContext)
            return null;
        PooledContext[] contexts = scorer.NewContexts();
        for (int row = 0; row < rows.Starts.Count; row++)
        {
            for (int column = 0; column < columns.Starts.Count; column++)
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                using Image part = photo.Window(rows.Starts[row], columns.Starts[column], rows.Size, columns.Size);
                scorer.AddTo(contexts, part, rows.Weights(row), columns.Weights(column), run);
            }
        }
        return [.. contexts.Select(context => context.Mean)];
    }

    private Tensor Score(Parts parts, int top, int height, float[][]? contexts, RunContext run)
    {
        if (parts.All[0].Height == height)
            return scorer.Scores(parts.All, run, contexts);
        using var windows = new Parts(parts.All.Select(part => part.Crop(top, 0, height, part.Width)));
        return scorer.Scores(windows.All, run, contexts);
    }

    /// <summary>Pictures that are freed together, also where one of them cannot be made.</summary>
    private sealed class Parts : IDisposable
    {
        private readonly List<Image> _all = [];

        public Parts(IEnumerable<Image> pictures)
        {
            try
            {
                _all.AddRange(pictures);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public Image[] All => [.. _all];

        public void Dispose() => _all.ForEach(picture => picture.Dispose());
    }
}
