using Atrous.Imaging;

namespace Atrous;

/// <summary>
/// Something that turns pictures into masks: a <see cref="Segmenter"/>, a model behind a queue, or a test's own. Safe
/// to use from many threads.
/// </summary>
public interface ISegmenter
{
    /// <summary>
    /// What the model is: its classes, its architecture, the pre-processing that it was trained with.
    /// </summary>
    ModelInfo Info { get; }

    /// <summary>The mask of a picture, at the picture's own height and width.</summary>
    /// <param name="photo">The picture, which is not changed. Keep it until the task ends.</param>
    /// <param name="request">The confidence, priority and timeout of this call; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; a run that is under way ends at its next layer.</param>
    /// <exception cref="ImageException">The picture has not the channels that the model takes.</exception>
    /// <exception cref="MemoryException">Memory ran out.</exception>
    /// <exception cref="RequestTimeoutException">There was no result in the request's time.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    Task<Segmentation> SegmentAsync(
        Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default);
}
