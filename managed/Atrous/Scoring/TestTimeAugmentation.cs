namespace Atrous.Scoring;

/// <summary>
/// The picture is scored at several scales, and mirrored too, and the probabilities are averaged: slower by as much,
/// and better at the edges and at objects of unusual size.
/// </summary>
/// <remarks>
/// As in DeepLab's own evaluation (predict_labels_multi_scale) and in mmsegmentation (SegTTAModel): softmax at the
/// picture's size first, then the mean, so that each pass has one vote however large its logits are.
/// </remarks>
public sealed record TestTimeAugmentation
{
    /// <summary>The smallest scale.</summary>
    public const double LeastScale = 0.1;

    /// <summary>The largest scale.</summary>
    public const double MostScale = 4;

    /// <summary>The most scales.</summary>
    public const int MostScales = 16;

    /// <param name="scales">The factors on the size that the network sees otherwise.</param>
    /// <param name="flip">Each also with left and right exchanged.</param>
    /// <exception cref="ArgumentException">There are no scales, too many, or one is out of bounds.</exception>
    public TestTimeAugmentation(IReadOnlyList<double> scales, bool flip)
    {
        ArgumentNullException.ThrowIfNull(scales);
        if (scales.Count is 0 or > MostScales || scales.Any(scale => scale is not (>= LeastScale and <= MostScale)))
        {
            throw new ArgumentException(
                $"There are 1 to {MostScales} scales, each from {LeastScale} to {MostScale}.", nameof(scales));
        }
        (Scales, Flip) = ([.. scales], flip);
    }

    /// <summary>Factors on the size that the network sees otherwise.</summary>
    public IReadOnlyList<double> Scales { get; }

    /// <summary>Each also with left and right exchanged.</summary>
    public bool Flip { get; }
}
