using Atrous.Imaging;
using Atrous.Tensors;

namespace Atrous.Hosting;

/// <summary>
/// A model that serves: requests wait in its bounded queue, those of equal shape run together, and the models of one
/// device take turns. Safe to use from many threads; no thread is blocked while a request waits.
/// </summary>
/// <remarks>
/// Every call may throw <see cref="QueueFullException"/>, <see cref="RequestTimeoutException"/>,
/// <see cref="ModelNotReadyException"/>, <see cref="RequestException"/>, <see cref="OperationCanceledException"/> (the
/// request is dropped and its place in the queue is free at once), and what <see cref="Segmenter"/> throws for the
/// picture.
/// </remarks>
public interface IServedModel : ISegmenter
{
    /// <summary>The model's name in <see cref="AtrousOptions.Models"/>.</summary>
    string Name { get; }

    /// <summary>The device of the loaded model: "cpu" and so on.</summary>
    /// <exception cref="ModelNotReadyException">None is loaded.</exception>
    string Device { get; }

    /// <summary>The number format in which the loaded model is computed.</summary>
    /// <exception cref="ModelNotReadyException">None is loaded.</exception>
    Precision Precision { get; }

    /// <summary>How the model is served.</summary>
    BatchingOptions Batching { get; }

    /// <summary>What the model has done since the process started.</summary>
    ModelStatistics Statistics { get; }

    /// <summary>
    /// The masks of some pictures, in their order. All are accepted or none; one failure fails the call.
    /// </summary>
    /// <param name="photos">The pictures, which are not changed. Keep them until the task ends.</param>
    /// <param name="request">The confidence, priority and timeout of this call; null for the defaults.</param>
    /// <param name="cancellationToken">Drops those that wait; a run is cut off when its batch has no others.</param>
    /// <exception cref="RequestException">There are more pictures than the queue has places.</exception>
    Task<IReadOnlyList<Segmentation>> SegmentAsync(
        IReadOnlyList<Image> photos, SegmentRequest? request = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// The mask of a picture file. Its header is checked against <see cref="AtrousOptions.MaxPixels"/> and the queue
    /// has a place for it before anything is decoded. The bytes are no longer read when the task has ended, however it
    /// ends.
    /// </summary>
    /// <param name="file">
    /// The bytes of a picture file, of any format that <see cref="Image.Load(string, long)"/> reads.
    /// </param>
    /// <param name="request">The confidence, priority and timeout of this call; null for the defaults.</param>
    /// <param name="cancellationToken">Drops the request; its run is cut off when nobody else is in its batch.</param>
    /// <exception cref="ImageException">
    /// The file is broken, or has not the channels that the model takes.
    /// </exception>
    /// <exception cref="PictureTooLargeException">The file has too many pixels.</exception>
    /// <returns>The mask with the decoded picture, which the caller disposes.</returns>
    Task<SegmentedPhoto> SegmentAsync(
        ReadOnlyMemory<byte> file, SegmentRequest? request = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// The probability of every class for every pixel of a picture, as
    /// <see cref="Segmenter.Probabilities(Image, CancellationToken)"/>, in its turn. Keep the picture until the task
    /// ends; the caller disposes the result.
    /// </summary>
    /// <param name="photo">The picture, which is not changed.</param>
    /// <param name="request">The scales, priority and timeout of this call; null for the defaults.</param>
    /// <param name="cancellationToken">Drops the request; a run that is under way ends at its next layer.</param>
    /// <exception cref="RequestException">
    /// The model or the request slides a window, and never has those of a whole picture.
    /// </exception>
    Task<Tensor> ProbabilitiesAsync(
        Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the network alone on a normalised NHWC input, as <see cref="Segmenter.Infer"/>, in its turn. Keep the
    /// tensor until the task ends; the caller disposes the result.
    /// </summary>
    /// <param name="input">A float32 tensor [batch, height, width, channels], normalised as the model wants it.</param>
    /// <param name="request">The priority and timeout of this call; null for the defaults.</param>
    /// <param name="cancellationToken">Drops the request; a run that is under way ends at its next layer.</param>
    Task<NetworkResult> InferAsync(
        Tensor input, SegmentRequest? request = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Refuses now what would be refused anyway, so that a server need not read a body first. Takes no place in the
    /// queue.
    /// </summary>
    /// <exception cref="QueueFullException">The queue is full.</exception>
    /// <exception cref="ModelNotReadyException">No model is loaded, or the service is stopping.</exception>
    void EnsureAccepting();
}
