using System.Globalization;
using Atrous.Backends;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Native;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Scoring;
using Atrous.Tensors;
using PixelLabels = (Atrous.Postprocessing.LabelArray Labels, float[] Confidence, ulong[] Members);

namespace Atrous;

/// <summary>
/// Makes masks of pictures in one way: whole or in windows, at one scale or several, with the CRF or without. It has
/// nothing of its own to free, so that a request may have one for itself.
/// </summary>
/// <param name="model">The network that scores pictures.</param>
/// <param name="scoring">The windows, scales and CRF.</param>
/// <param name="preprocessor">What makes the network's input, which does not resize where there are windows.</param>
/// <param name="networks">The network for each size.</param>
/// <param name="backend">The device that the network runs on.</param>
/// <param name="engine">The threads of the CRF.</param>
/// <param name="options">
/// How the model was loaded: its batches and limits, and whom the CRF tells how far it is.
/// </param>
internal sealed class MaskMaker(
    Model model, ScoringRequest scoring, Preprocessor preprocessor, NetworkCache networks, IBackend backend,
    EngineHandle engine, SegmenterOptions options)
{
    private const double Smaller = 0.7, SmallestScale = 0.01;

    private readonly CrfStep? _crf = scoring.Crf is { } crf
        ? new CrfStep(crf, engine, options.Threads, options.CrfProgress, options.MostCrfBytes)
        : null;

    /// <summary>What makes the network's input.</summary>
    public Preprocessor Preprocessor => preprocessor;

    /// <summary>Pictures, or windows of them, to scores.</summary>
    public PictureScorer Scorer { get; } = new(
        model, preprocessor, networks, scoring.Augmentation,
        scoring.Window is null ? model.Description.Network.Slide : null);

    /// <summary>Pictures in windows; null for whole ones.</summary>
    public SlidingScorer? Sliding => field ??= scoring.Window is not { } window ? null : new SlidingScorer(
        Scorer, window, model.Description.ScoredClasses,
        Math.Min(options.MaxBatch, backend.WorthwhileBatch(window.Size, window.Size)), options.MostSharedBytes);

    /// <summary>A mask takes one run of the network and nothing after it.</summary>
    public bool AreOfOneRun => scoring.Window is null && scoring.Crf is null && !Scorer.Averages;

    /// <summary>The mask is made of all scores of a picture, or of a part of it, and not by the network.</summary>
    public bool HoldsScores => !AreOfOneRun || !Scorer.IsLabelledByNetwork;

    /// <summary>The labels of pictures of one size.</summary>
    /// <param name="photos">The pictures, which are not changed.</param>
    /// <param name="confidence">Whether to compute also the probability of each label.</param>
    /// <param name="run">The call that this is part of.</param>
    public PixelLabels[] Labels(Image[] photos, bool confidence, RunContext run)
    {
        if (Sliding is { } sliding)
            return [.. photos.Select(photo => (PixelLabels)sliding.Segment(photo, confidence, run))];
        return _crf is not null ? Refined(photos, confidence, run) : Scorer.Masks(photos, confidence, run);
    }

    /// <summary>The most pixels that the network sees at a time of a picture.</summary>
    /// <exception cref="ImageException">They are more than any picture may have.</exception>
    public (int Height, int Width) LargestInput(int height, int width)
    {
        if (scoring.Window is { } window)
            (height, width) = (Math.Min(height, window.Size), Math.Min(width, window.Size));
        double scale = scoring.Augmentation?.Scales.Max() ?? 1;
        PreprocessingPlan plan = preprocessor.PlanOf(height, width, scale);
        return (plan.Height, plan.Width);
    }

    /// <summary>Bytes that the scores of a picture take on their way to its mask, roughly.</summary>
    public long BytesFor(int height, int width)
    {
        // Of a pass the scores and, from them, the probabilities; and the mean of all passes.
        int copies = scoring.Augmentation is null ? 1 : 3;
        if (Sliding is { } sliding)
            return sliding.BytesFor(height, width, copies);
        long scores = (long)height * width * model.Description.ScoredClasses * sizeof(float);
        if (scoring.Crf is null)
            return copies * scores;
        double scale = CrfSize.ScaleFor(height, width, model.Description.MaskClasses);
        double bytes = CrfSize.BytesAt(height, width, model.Description.MaskClasses) + (copies - 1) * (double)scores;
        return (long)(bytes * scale * scale);
    }

    /// <summary>
    /// The labels of pictures of one size by the CRF: at their own size where its memory allows that, else at a smaller
    /// one, which <see cref="Segmentation.Note"/> says.
    /// </summary>
    private PixelLabels[] Refined(Image[] photos, bool confidence, RunContext run)
    {
        (int height, int width) = (photos[0].Height, photos[0].Width);
        double scale = CrfSize.ScaleFor(height, width, model.Description.MaskClasses);
        if (scale < 1)
            return [.. photos.Select((photo, i) => RefinedSmaller(photo, scale, i, confidence, run))];
        var refined = new PixelLabels?[photos.Length];
        using (Tensor scores = Scorer.Scores(photos, run))
        {
            for (int i = 0; i < photos.Length; i++)
                refined[i] = RefinedWhole(photos[i], scores, i, confidence, run);
        }
        return [.. photos.Select((photo, i) => refined[i] ?? RefinedSmaller(photo, Smaller, i, confidence, run))];
    }

    /// <summary>The labels at the picture's own size; null where that takes too much, as it does for noise.</summary>
    private PixelLabels? RefinedWhole(Image photo, Tensor scores, int index, bool confidence, RunContext run)
    {
        try
        {
            return Of(_crf!.Refine(photo, scores, Scorer.Decision.Form, index, confidence, run.CancellationToken));
        }
        catch (MemoryException)
        {
            return null;
        }
    }

    private PixelLabels RefinedSmaller(Image photo, double scale, int index, bool confidence, RunContext run)
    {
        // A picture of noise takes more than a photo does: then still smaller.
        for (; ; scale *= Smaller)
        {
            (int height, int width) = CrfSize.At(photo.Height, photo.Width, scale);
            run.Notes[index] = string.Create(
                CultureInfo.InvariantCulture,
                $"The CRF worked at {width} x {height} pixels, not {photo.Width} x {photo.Height}, for which it would "
                + $"take more than {CrfSize.MaxBytes / 1e9:0.#} GB; scale the picture down to choose the size.");
            using Image smaller = preprocessor.Smaller(photo, height, width);
            using Tensor scores = Scorer.Scores([smaller], run);
            try
            {
                return Of(_crf!.RefineTo(
                    smaller, scores, Scorer.Decision.Form, (photo.Height, photo.Width), confidence,
                    run.CancellationToken));
            }
            catch (MemoryException) when (scale > SmallestScale)
            {
                // Smaller still.
            }
        }
    }

    private static PixelLabels Of((ushort[] Labels, float[] Confidence) refined) =>
        (refined.Labels, refined.Confidence, []);
}
