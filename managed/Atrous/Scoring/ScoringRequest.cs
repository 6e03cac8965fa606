using Atrous.Postprocessing;

namespace Atrous.Scoring;

/// <summary>
/// How often and where the network looks at the picture of one request, and what becomes of its scores. All three
/// together take the place of what the model was loaded with.
/// </summary>
public sealed record ScoringRequest
{
    /// <summary>
    /// Slides a window over the picture; null for the picture as a whole. Not with <see cref="Crf"/>.
    /// </summary>
    public SlidingWindow? Window { get; init; }

    /// <summary>Scores the picture at several scales and mirrored; null for once, as it is.</summary>
    public TestTimeAugmentation? Augmentation { get; init; }

    /// <summary>Sharpens the mask along the picture's own edges; null for none.</summary>
    public DenseCrfParameters? Crf { get; init; }
}
