using Atrous.Cli.Output;
using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Cli.Evaluating;

/// <summary>
/// Segments labelled pictures and counts what is right. The first bad file ends it: half a score is none.
/// </summary>
internal sealed class EvalRun(
    Segmenter segmenter, ConfusionMatrix matrix, ForegroundTruth? foreground, int batch,
    CancellationToken cancellationToken)
{
    /// <exception cref="CommandException">A file is bad; the message names it.</exception>
    public void Add(IReadOnlyList<LabelledPicture> pictures, ProgressBar? bar)
    {
        foreach (LabelledPicture[] group in pictures.Chunk(batch))
        {
            IReadOnlyList<Segmentation> masks = Segment(group);
            for (int i = 0; i < group.Length; i++)
            {
                Segmentation mask = masks[i];
                About(group[i].Labels, () =>
                {
                    LabelImage truth = LabelImage.Load(group[i].Labels);
                    matrix.Add(foreground?.Read(truth) ?? truth, mask.Labels, mask.Height, mask.Width);
                    return true;
                });
                bar?.Step();
            }
        }
    }

    private IReadOnlyList<Segmentation> Segment(LabelledPicture[] group)
    {
        var photos = new List<Image>();
        try
        {
            foreach (LabelledPicture picture in group)
            {
                cancellationToken.ThrowIfCancellationRequested();
                photos.Add(About(picture.Picture, () => Image.Load(picture.Picture)));
            }
            return About(
                string.Join(", ", group.Select(picture => picture.Picture)),
                () => segmenter.Segment(photos, cancellationToken: cancellationToken));
        }
        finally
        {
            foreach (Image photo in photos)
                photo.Dispose();
        }
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
