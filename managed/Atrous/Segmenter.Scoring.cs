using System.Globalization;
using Atrous.Checkpoints.Dialects;
using Atrous.Imaging;
using Atrous.Scoring;
using Atrous.Tensors;

namespace Atrous;

/// <content>Masks that are made otherwise than the model was loaded for.</content>
public sealed partial class Segmenter
{
    /// <summary>The mask of a picture, as one request wants it.</summary>
    /// <inheritdoc cref="Segment(Image, bool, CancellationToken)" path="/exception"/>
    /// <exception cref="UnavailableException">The model cannot be used in the request's way.</exception>
    internal Segmentation Segment(Image photo, SegmentRequest request, CancellationToken cancellationToken)
    {
        MaskMaker masks = _masks;
        if (request.Scoring is { } scoring)
        {
            Check(scoring);
            masks = MakerOf(scoring);
        }
        return Run(masks, [photo], request.Confidence, cancellationToken)[0];
    }

    /// <summary>Says why the model cannot be used in some way.</summary>
    /// <exception cref="UnavailableException">It cannot.</exception>
    internal void Check(ScoringRequest scoring)
    {
        if (scoring.Crf is null)
            return;
        if (scoring.Window is not null)
        {
            throw new UnavailableException(
                "The CRF needs the scores of the whole picture at once, which a sliding window never has; leave out " +
                "one of them.");
        }
        if (_description.MultiLabel)
        {
            throw new UnavailableException(
                "The CRF gives each pixel one class, and those of this model can be of several; leave it out.");
        }
        if ((_description.Threshold ?? ScoreArithmetic.Half) != ScoreArithmetic.Half)
        {
            throw new UnavailableException(string.Create(
                CultureInfo.InvariantCulture,
                $"The CRF takes the more probable class, and this model's threshold is {_description.Threshold}; set "
                + $"the switch {DialectChoice.Threshold} to 0.5, or leave out the CRF."));
        }
    }

    /// <summary>
    /// The largest input that the network gets of a picture; null for the way that the model was loaded for.
    /// </summary>
    internal (int Height, int Width) LargestInput(int height, int width, ScoringRequest? scoring) =>
        (scoring is null ? _masks : MakerOf(scoring)).LargestInput(height, width);

    /// <summary>
    /// Bytes that the scores of a picture take on their way to its mask, roughly; null for the way that the model was
    /// loaded for.
    /// </summary>
    internal long ScoringBytes(int height, int width, ScoringRequest? scoring) =>
        scoring is not null ? MakerOf(scoring).BytesFor(height, width)
        : _masks.HoldsScores ? _masks.BytesFor(height, width)
        : 0;

    /// <summary>
    /// As <see cref="Probabilities(Image, CancellationToken)"/>, into memory of the caller's, which may serve for many
    /// pictures.
    /// </summary>
    /// <param name="photo">The picture, which is not changed.</param>
    /// <param name="destination">
    /// The memory for height * width * classes numbers or more: pixel after pixel, row after row, and in each pixel
    /// class after class. Where a pixel can be of several classes, the background is none of them.
    /// </param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <exception cref="ArgumentException">The memory is too small; nothing was computed.</exception>
    /// <inheritdoc cref="Probabilities(Image, CancellationToken)" path="/exception"/>
    public void CopyProbabilities(Image photo, Span<float> destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        long wanted = (long)photo.Height * photo.Width * (Info.IsMultiLabel ? Info.Classes - 1 : Info.Classes);
        if (destination.Length < wanted)
        {
            throw new ArgumentException(
                $"{wanted} probabilities do not fit into memory for {destination.Length}.", nameof(destination));
        }
        using Tensor probabilities = Probabilities(photo, cancellationToken);
        probabilities.Image<float>(0).CopyTo(destination);
    }

    /// <summary>The probabilities of every class, as one request wants them; before its CRF.</summary>
    /// <inheritdoc cref="Probabilities(Image, CancellationToken)" path="/exception"/>
    internal Tensor Probabilities(Image photo, SegmentRequest request, CancellationToken cancellationToken)
    {
        if (request.Scoring is not { } scoring)
            return Probabilities(photo, cancellationToken);
        PictureScorer scorer = MakerOf(scoring).Scorer;
        return Guard(photo.Height, photo.Width, () =>
            scorer.Probabilities([photo], new RunContext(null, cancellationToken)));
    }

    /// <summary>Whether there are probabilities: a window that slides never has those of a whole picture.</summary>
    internal bool HasProbabilities(ScoringRequest? scoring) =>
        scoring is null ? _masks.Sliding is null : scoring.Window is null;

    private MaskMaker MakerOf(ScoringRequest scoring) => new(
        _model, scoring, scoring.Window is null ? _preprocessor : _unsized, _networks, _backend, _engine, _options);
}
