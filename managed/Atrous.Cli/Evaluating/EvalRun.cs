using Atrous.Cli.Batches;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;

namespace Atrous.Cli.Evaluating;

/// <summary>
/// Segments labelled pictures, as many at a time as the device is good for, and counts what is right in their order.
/// The first bad file ends it, since half a score is none; where each picture has a line of its own, that line says so
/// and the others go on.
/// </summary>
internal sealed class EvalRun(
    Segmenter segmenter, ConfusionMatrix matrix, int batch, long maxPixels, CancellationToken cancellationToken)
{
    private readonly List<string> _warnings = [];
    private readonly List<Failure> _failures = [];

    /// <summary>Sentences about files that were not whole, though all their pixels were.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Reads a label map as classes.</summary>
    public required Func<string, LabelImage> Truth { get; init; }

    /// <summary>The label of what is not scored, in what <see cref="Truth"/> gives.</summary>
    public required int Ignored { get; init; }

    /// <summary>What TIFFs show to the network.</summary>
    public RasterChoice Rasters { get; init; } = new(null, null);

    /// <summary>Also how well boundaries are met; null for no such measure.</summary>
    public BoundaryScore? Boundaries { get; init; }

    /// <summary>Another model that segments the same pictures; null for none.</summary>
    public EvalRival? Rival { get; init; }

    /// <summary>Gets a line for each picture; null for none.</summary>
    public Journal? Lines { get; init; }

    /// <summary>With <see cref="Lines"/>: a number for model and options.</summary>
    public string Stamp { get; init; } = "";

    /// <summary>Pictures that have a line of this stamp are not scored again.</summary>
    public bool SkipsExisting { get; init; }

    /// <summary>How often pictures are tried again after an error that may pass.</summary>
    public int Retries { get; init; }

    /// <summary>That <see cref="Ignored"/> is not scored is the usual thing, and nobody asked for it.</summary>
    public bool IsIgnoreAssumed { get; init; }

    /// <summary>What lines call a class.</summary>
    public Func<int, string> NameOf { get; init; } = label => $"class {label}";

    /// <summary>Pictures that failed, with the exit codes; only where they have lines.</summary>
    public IReadOnlyList<Failure> Failures => _failures;

    /// <summary>Pictures that were counted, those from before included.</summary>
    public int Scored { get; private set; }

    /// <exception cref="CommandException">A file is bad; the message names it.</exception>
    public void Add(IReadOnlyList<LabelledPicture> pictures, ProgressBar? bar)
    {
        // One more than run, so that the device works while masks are counted.
        foreach ((LabelledPicture[] group, Func<Seen> seen) in Ahead.Of(
            Left().Chunk(batch), segmenter.RunsAtOnce + 1, Segment))
        {
            Score(group, seen);
            for (int i = 0; i < group.Length; i++)
                bar?.Step();
        }

        IEnumerable<LabelledPicture> Left()
        {
            foreach (LabelledPicture picture in pictures)
            {
                if (SkipsExisting && IsThere(picture))
                    bar?.Step();
                else
                    yield return picture;
            }
        }
    }

    private bool IsThere(LabelledPicture picture)
    {
        if (Lines!.Last(picture.Name) is not { IsDone: true } line || line.Run != Stamp
            || EvalLine.Parse(line.Text) is not { } told || told.Classes != matrix.Classes)
            return false;
        try
        {
            if (line.Input != EvalBatch.HashOf(picture))
                return false;
        }
        catch (Exception e) when (e is IOException or ImageException)
        {
            return false; // whoever reads it says why
        }
        matrix.Add(told.Counts, told.Ignored);
        Scored++;
        return true;
    }

    private void Score(LabelledPicture[] group, Func<Seen> seen)
    {
        for (int attempt = 1; ; attempt++)
        {
            Looked looked;
            try
            {
                looked = Look(group, attempt == 1 ? seen() : Segment(group));
            }
            catch (CommandException) when (Lines is not null && group.Length > 1)
            {
                foreach (LabelledPicture picture in group)
                    Score([picture], () => Segment([picture]));
                return;
            }
            catch (CommandException e) when (e.ExitCode == ExitCode.Failed && attempt <= Retries)
            {
                cancellationToken.WaitHandle.WaitOne(BatchChoice.Pause(attempt));
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }
            catch (CommandException e) when (Lines is not null)
            {
                var failure = new Failure(e.ExitCode, e.Message, NamesFile: true);
                _failures.Add(failure);
                Lines.Add(group[0].Name, group[0].Picture, failure, attempt);
                return;
            }
            _warnings.AddRange(looked.Seen.Warnings);
            // What goes wrong from here on, as a line that cannot be written, ends the run: nothing is counted twice.
            for (int i = 0; i < group.Length; i++)
                Count(group[i], looked, i, attempt);
            return;
        }
    }

    /// <summary>Counts nothing yet: one of them may be a picture that cannot be scored.</summary>
    private Looked Look(LabelledPicture[] group, Seen seen)
    {
        var truths = new LabelImage[group.Length];
        var each = new ConfusionMatrix[group.Length];
        for (int i = 0; i < group.Length; i++)
        {
            Segmentation mask = seen.Masks[i];
            each[i] = new ConfusionMatrix(matrix.Classes, Ignored);
            About(group[i].Labels, () =>
            {
                LabelImage truth = Truth(group[i].Labels);
                seen.Warn(group[i].Labels, truth.Warning);
                truths[i] = seen.Missing[i] is { } without ? Without(truth, without, mask.Height, mask.Width) : truth;
                each[i].Add(truths[i], mask.Labels, mask.Height, mask.Width);
                return true;
            });
        }
        return new Looked(seen, truths, each);
    }

    private void Count(LabelledPicture picture, Looked looked, int index, int attempt)
    {
        (Segmentation mask, LabelImage truth) = (looked.Seen.Masks[index], looked.Truths[index]);
        var line = EvalLine.Of(looked.Each[index], NameOf, IsIgnoreAssumed);
        Lines?.Add(picture.Name, picture.Picture, looked.Seen.Hashes[index], Stamp, attempt, json =>
        {
            json.WriteString("labels", picture.Labels);
            line.Write(json);
        });
        matrix.Add(line.Counts, line.Ignored);
        Scored++;
        About(picture.Labels, () =>
        {
            Boundaries?.Add(truth, mask.Labels, mask.Height, mask.Width);
            if (looked.Seen.Others is { } others)
                Rival!.Matrix.Add(truth, others[index].Labels, mask.Height, mask.Width);
            return true;
        });
        if (looked.Seen.Others is { } theirs)
            Rival!.Compare(picture.Picture, mask, theirs[index]);
    }

    /// <summary>Where a map has no data the network saw nothing, so that it is not scored.</summary>
    private LabelImage Without(LabelImage truth, bool[] missing, int height, int width)
    {
        ReadOnlySpan<ushort> nearest =
            NearestLabels.At(Array.ConvertAll(missing, one => one ? (ushort)1 : (ushort)0), height, width, truth);
        ushort[] labels = truth.Labels.ToArray();
        for (int i = 0; i < labels.Length; i++)
            labels[i] = nearest[i] == 1 ? (ushort)Ignored : labels[i];
        return new LabelImage(labels, truth.Height, truth.Width);
    }

    /// <summary>On any thread, since several groups are segmented at a time.</summary>
    private Seen Segment(LabelledPicture[] group)
    {
        var seen = new Seen { Missing = new bool[]?[group.Length] };
        var photos = new List<Image>();
        try
        {
            if (Lines is not null)
                seen.Hashes = [.. group.Select(picture => About(picture.Picture, () => EvalBatch.HashOf(picture)))];
            foreach (LabelledPicture picture in group)
            {
                cancellationToken.ThrowIfCancellationRequested();
                photos.Add(About(picture.Picture, () => Load(picture.Picture, seen, photos.Count)));
                seen.Warn(picture.Picture, photos[^1].Warning);
            }
            (seen.Masks, seen.Others) = About(
                string.Join(", ", group.Select(picture => picture.Picture)),
                () => (segmenter.Segment(photos, cancellationToken: cancellationToken),
                    Rival?.Segmenter.Segment(photos, cancellationToken: cancellationToken)));
            return seen;
        }
        finally
        {
            foreach (Image photo in photos)
                photo.Dispose();
        }
    }

    private Image Load(string path, Seen seen, int index)
    {
        using TiffRaster? raster = Rasters.Open(path, segmenter, maxPixels, long.MaxValue);
        if (raster is null)
            return Image.Load(path, maxPixels);
        seen.Warn(path, raster.Warning);
        if (raster.MayLackPixels)
            raster.FindMissing(0, seen.Missing[index] = new bool[raster.Height * raster.Width]);
        return raster.Window(0, 0, raster.Height, raster.Width);
    }

    private static T About<T>(string file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Failure failure = Failure.Of(e);
            throw new CommandException(failure.Code, failure.About(file), e);
        }
    }

    /// <summary>Pictures of a group as the networks see them.</summary>
    private sealed class Seen
    {
        public List<string> Warnings { get; } = [];

        /// <summary>Where maps have no data; null for other pictures.</summary>
        public required bool[]?[] Missing { get; init; }

        public string[] Hashes { get; set; } = [];

        public IReadOnlyList<Segmentation> Masks { get; set; } = [];

        /// <summary>The other model's; null where there is none.</summary>
        public IReadOnlyList<Segmentation>? Others { get; set; }

        public void Warn(string file, string? warning)
        {
            if (warning is not null)
                Warnings.Add($"{file}: {warning}");
        }
    }

    /// <summary>The same beside what is true.</summary>
    private sealed record Looked(Seen Seen, LabelImage[] Truths, ConfusionMatrix[] Each);
}
