using Atrous.Cli.Output;
using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Cli.Evaluating;

/// <summary>
/// Segments labelled pictures and counts what is right. The first bad file ends it: half a score is none.
/// </summary>
internal sealed class EvalRun(
    Segmenter segmenter, ConfusionMatrix matrix, int batch, long maxPixels, CancellationToken cancellationToken)
{
    private readonly List<string> _warnings = [];

    /// <summary>Sentences about files that were not whole, though all their pixels were.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Reads a label map as classes.</summary>
    public required Func<string, LabelImage> Truth { get; init; }

    /// <summary>Also how well boundaries are met; null for no such measure.</summary>
    public BoundaryScore? Boundaries { get; init; }

    /// <summary>Another model that segments the same pictures; null for none.</summary>
    public EvalRival? Rival { get; init; }

    /// <exception cref="CommandException">A file is bad; the message names it.</exception>
    public void Add(IReadOnlyList<LabelledPicture> pictures, ProgressBar? bar)
    {
        foreach (LabelledPicture[] group in pictures.Chunk(batch))
        {
            (IReadOnlyList<Segmentation> masks, IReadOnlyList<Segmentation>? others) = Segment(group);
            for (int i = 0; i < group.Length; i++)
            {
                Segmentation mask = masks[i];
                About(group[i].Labels, () =>
                {
                    LabelImage truth = Truth(group[i].Labels);
                    Warn(group[i].Labels, truth.Warning);
                    matrix.Add(truth, mask.Labels, mask.Height, mask.Width);
                    Boundaries?.Add(truth, mask.Labels, mask.Height, mask.Width);
                    if (others is not null)
                        Rival!.Matrix.Add(truth, others[i].Labels, mask.Height, mask.Width);
                    return true;
                });
                if (others is not null)
                    Rival!.Compare(group[i].Picture, mask, others[i]);
                bar?.Step();
            }
        }
    }

    private (IReadOnlyList<Segmentation> Masks, IReadOnlyList<Segmentation>? Others) Segment(LabelledPicture[] group)
    {
        var photos = new List<Image>();
        try
        {
            foreach (LabelledPicture picture in group)
            {
                cancellationToken.ThrowIfCancellationRequested();
                photos.Add(About(picture.Picture, () => Image.Load(picture.Picture, maxPixels)));
                Warn(picture.Picture, photos[^1].Warning);
            }
            return About(
                string.Join(", ", group.Select(picture => picture.Picture)),
                () => (segmenter.Segment(photos, cancellationToken: cancellationToken),
                    Rival?.Segmenter.Segment(photos, cancellationToken: cancellationToken)));
        }
        finally
        {
            foreach (Image photo in photos)
                photo.Dispose();
        }
    }

    private void Warn(string file, string? warning)
    {
        if (warning is not null)
            _warnings.Add($"{file}: {warning}");
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
}
