using System.Globalization;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tensors;
using PixelLabels = (Atrous.Postprocessing.LabelArray Labels, float[] Confidence, ulong[] Members);

namespace Atrous;

/// <content>The CRF, whose memory has a limit.</content>
public sealed partial class Segmenter
{
    private const double Smaller = 0.7, SmallestScale = 0.01;

    /// <summary>
    /// The labels of pictures of one size by the CRF: at their own size where its memory allows that, else at a smaller
    /// one, which <see cref="Segmentation.Note"/> says.
    /// </summary>
    private PixelLabels[] Refined(Image[] photos, bool confidence, RunContext run)
    {
        (int height, int width) = (photos[0].Height, photos[0].Width);
        double scale = CrfSize.ScaleFor(height, width, _description.MaskClasses);
        if (scale < 1)
            return [.. photos.Select(photo => RefinedSmaller(photo, scale, confidence, run))];
        using Tensor scores = _scorer.Scores(photos, run);
        return [.. photos.Select((photo, i) => Of(
            _crf!.Refine(photo, scores, _scorer.Decision.Form, i, confidence, run.CancellationToken)))];
    }

    private PixelLabels RefinedSmaller(
        Image photo, double scale, bool confidence, RunContext run)
    {
        // A picture of noise takes more than a photo does: then still smaller.
        for (; ; scale *= Smaller)
        {
            (int height, int width) = CrfSize.At(photo.Height, photo.Width, scale);
            run.Note = string.Create(
                CultureInfo.InvariantCulture,
                $"The CRF worked at {width} x {height} pixels, not {photo.Width} x {photo.Height}, for which it would "
                + $"take more than {CrfSize.MaxBytes / 1e9:0.#} GB; scale the picture down to choose the size.");
            using Image smaller = _preprocessor.Smaller(photo, height, width);
            using Tensor scores = _scorer.Scores([smaller], run);
            try
            {
                return Of(_crf!.RefineTo(
                    smaller, scores, _scorer.Decision.Form, (photo.Height, photo.Width), confidence,
                    run.CancellationToken));
            }
            catch (MemoryException) when (scale > SmallestScale)
            {
                continue;
            }
        }
    }

    private static PixelLabels Of((ushort[] Labels, float[] Confidence) refined) =>
        (refined.Labels, refined.Confidence, []);
}
