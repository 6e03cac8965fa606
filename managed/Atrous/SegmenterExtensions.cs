using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Atrous.Imaging;

namespace Atrous;

/// <summary>What can be asked of every <see cref="ISegmenter"/>.</summary>
public static class SegmenterExtensions
{
    /// <summary>
    /// The masks of pictures as they come, in the pictures' order. The next picture is read while the segmenter works
    /// on those before it, and none is read further ahead: a source is never faster than whoever takes the masks.
    /// </summary>
    /// <param name="segmenter">A segmenter, or a model behind a queue.</param>
    /// <param name="photos">The pictures. Each is read until its mask is given; then the caller may dispose it.</param>
    /// <param name="request">The confidence, priority and timeout of each picture; null for the defaults.</param>
    /// <param name="maxConcurrency">
    /// The most pictures that the segmenter has at one time, at least 1. One is right for a <see cref="Segmenter"/>,
    /// which uses all cores for it; a model behind a queue fills its batches with as many as a batch has.
    /// </param>
    /// <param name="cancellationToken">Cancels the pictures that are under way and all that follow.</param>
    /// <returns>
    /// One mask for each picture. Where a picture fails, or the source does, the masks of those before it come first.
    /// Whoever stops early cancels what is under way, the source's reading included, and waits until that has ended.
    /// </returns>
    /// <inheritdoc cref="ISegmenter.SegmentAsync" path="/exception"/>
    public static IAsyncEnumerable<Segmentation> SegmentAsync(
        this ISegmenter segmenter, IAsyncEnumerable<Image> photos, SegmentRequest? request = null,
        int maxConcurrency = 1, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(segmenter);
        ArgumentNullException.ThrowIfNull(photos);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxConcurrency, 1);
        return MasksAsync(segmenter, photos, request, maxConcurrency, cancellationToken);
    }

    private static async IAsyncEnumerable<Segmentation> MasksAsync(
        ISegmenter segmenter, IAsyncEnumerable<Image> photos, SegmentRequest? request, int maxConcurrency,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var places = new SemaphoreSlim(maxConcurrency);
        var started = Channel.CreateUnbounded<Task<Segmentation>>();
        Task reading = ReadAsync();
        try
        {
            await foreach (Task<Segmentation> mask in started.Reader.ReadAllAsync(CancellationToken.None)
                .ConfigureAwait(false))
            {
                Segmentation result = await mask.ConfigureAwait(false);
                places.Release();
                yield return result;
            }
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
            // The caller may dispose the pictures now, so that nothing may read them any more.
            while (started.Reader.TryRead(out Task<Segmentation>? mask))
                await ((Task)mask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // Hands the pictures to the segmenter as there are places; how it ended comes after the last mask.
        async Task ReadAsync()
        {
            Exception? failure = null;
            try
            {
                await foreach (Image photo in photos.WithCancellation(end.Token).ConfigureAwait(false))
                {
                    await places.WaitAsync(end.Token).ConfigureAwait(false);
                    started.Writer.TryWrite(segmenter.SegmentAsync(photo, request, end.Token));
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
            started.Writer.Complete(failure);
        }
    }
}
