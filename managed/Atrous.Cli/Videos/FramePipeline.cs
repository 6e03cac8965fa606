using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Atrous.Imaging;

namespace Atrous.Cli.Videos;

/// <summary>
/// Reads, segments and writes frames at a time: while the network works on one, the next are read and those before it
/// are written. At most <see cref="Held"/> frames wait on either side, so that memory stays the same however long the
/// video is.
/// </summary>
internal static class FramePipeline
{
    /// <summary>Frames that are read and wait for the network, and masks that wait to be written.</summary>
    public const int Held = 2;

    /// <summary>How long a source that is told to stop may take; a pipe that nobody writes to has no end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <param name="segmenter">The network that sees the frames.</param>
    /// <param name="source">Where the frames come from.</param>
    /// <param name="takes">Whether a frame is segmented.</param>
    /// <param name="request">What is wanted of each frame.</param>
    /// <param name="write">
    /// Gets each frame with its mask, one after the other in their order, on one thread. The frame is disposed then.
    /// </param>
    /// <param name="cancellationToken">Ends the run; what is segmented is still written.</param>
    /// <exception cref="OperationCanceledException">Cancelled, after all that was segmented is written.</exception>
    public static async Task RunAsync(
        Segmenter segmenter, FrameSource source, Func<VideoFrame, bool> takes, SegmentRequest request,
        Action<VideoFrame, Segmentation> write, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var read = Channel.CreateBounded<VideoFrame>(Held);
        var made = Channel.CreateBounded<(VideoFrame Frame, Segmentation Mask)>(Held);
        ExceptionDispatchInfo? failure = null;
        var underWay = new ConcurrentQueue<VideoFrame>();
        Task reading = Begin(Read), writing = Begin(Write);
        try
        {
            await foreach (Segmentation mask in segmenter.SegmentAsync(
                Photos(end.Token), request, segmenter.RunsAtOnce, end.Token).ConfigureAwait(false))
            {
                underWay.TryDequeue(out VideoFrame? frame);
                await made.Writer.WriteAsync((frame!, mask), end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // What could not be written ended it, and is thrown below.
        }
        finally
        {
            made.Writer.TryComplete();
            await writing.ConfigureAwait(false);
            await end.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(reading, Task.Delay(Patience, CancellationToken.None)).ConfigureAwait(false);
            while (underWay.TryDequeue(out VideoFrame? frame) || read.Reader.TryRead(out frame))
                frame.Picture.Dispose();
        }
        failure?.Throw();

        static Task Begin(Action work) => Task.Factory.StartNew(
            work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        void Read()
        {
            Exception? ended = null;
            try
            {
                foreach (VideoFrame frame in source.Pictures(end.Token))
                {
                    if (takes(frame))
                        read.Writer.WriteAsync(frame, end.Token).AsTask().GetAwaiter().GetResult();
                    else
                        frame.Picture.Dispose();
                }
            }
            catch (Exception e)
            {
                ended = e;
            }
            read.Writer.TryComplete(ended);
        }

        void Write()
        {
            try
            {
                while (made.Reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
                {
                    while (made.Reader.TryRead(out (VideoFrame Frame, Segmentation Mask) done))
                    {
                        using Image picture = done.Frame.Picture;
                        write(done.Frame, done.Mask);
                    }
                }
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
                end.Cancel();
                while (made.Reader.TryRead(out (VideoFrame Frame, Segmentation Mask) rest))
                    rest.Frame.Picture.Dispose();
            }
        }

        async IAsyncEnumerable<Image> Photos([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (VideoFrame frame in read.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                underWay.Enqueue(frame);
                yield return frame.Picture;
            }
        }
    }
}
