using Atrous.Scoring;

namespace Atrous;

/// <summary>What one call of <see cref="ISegmenter"/> wants beside the mask.</summary>
public sealed record SegmentRequest
{
    /// <summary>Nothing out of the ordinary.</summary>
    public static SegmentRequest Default { get; } = new();

    /// <summary>Also compute the softmax probability of every pixel's class.</summary>
    public bool Confidence { get; init; }

    /// <summary>
    /// The place in a queue: level 1 is served first, and 0 takes the queue's default level. A waiting request of a
    /// higher level always goes before one of a lower level. A <see cref="Segmenter"/> has no queue and ignores it.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>
    /// The longest time from the call to its result; null takes what the segmenter allows. A longer one than it allows
    /// is cut to that.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Windows, scales and CRF of this call, instead of those that the model was loaded with; null for those. It runs
    /// by itself, in no batch.
    /// </summary>
    public ScoringRequest? Scoring { get; init; }

    /// <summary>Bytes that the answer takes for each pixel beside picture and mask: what is drawn.</summary>
    internal int AnswerBytesPerPixel { get; init; }
}
