using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Atrous.Imaging;

namespace Atrous.Tests.Segmenters;

/// <summary>A stream of pictures through any segmenter: order, bounds, failures and ends.</summary>
public sealed class PictureStreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Masks_keep_the_order_of_their_pictures(int maxConcurrency)
    {
        // The later a picture of four comes, the sooner it is done.
        var segmenter = new Fake(async (photo, token) => await Task.Delay(4 - photo.Height % 4, token));
        using var source = new Source(20);
        var heights = new List<int>();
        await foreach (Segmentation mask in segmenter.SegmentAsync(
            source.Read(), maxConcurrency: maxConcurrency, cancellationToken: Token))
            heights.Add(mask.Height);
        Assert.Equal(Enumerable.Range(1, 20), heights);
        Assert.InRange(segmenter.Most, 1, maxConcurrency);
    }

    [Fact]
    public async Task As_many_as_are_allowed_are_under_way_and_one_more_is_read()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var segmenter = new Fake((_, token) => gate.Task.WaitAsync(token));
        using var source = new Source(9);
        await using IAsyncEnumerator<Segmentation> masks = segmenter.SegmentAsync(
            source.Read(), maxConcurrency: 3, cancellationToken: Token).GetAsyncEnumerator(Token);
        Assert.Equal(0, source.Asked);
        ValueTask<bool> first = masks.MoveNextAsync();
        await source.Asks(4);
        Assert.Equal(3, segmenter.UnderWay);
        gate.SetResult();
        Assert.True(await first);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_source_waits_for_a_slow_reader_of_masks(int maxConcurrency)
    {
        var segmenter = new Fake((_, _) => Task.CompletedTask);
        using var source = new Source(30);
        int taken = 0;
        await foreach (Segmentation mask in segmenter.SegmentAsync(
            source.Read(), maxConcurrency: maxConcurrency, cancellationToken: Token))
        {
            taken++;
            await Task.Delay(2, Token);
            // Those that the segmenter has or had, and the one that is read ahead.
            Assert.InRange(source.Asked, taken, taken + maxConcurrency + 1);
        }
        Assert.Equal(30, taken);
    }

    [Fact]
    public async Task A_cancellation_ends_what_is_under_way_and_the_source()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var segmenter = new Fake((_, token) => Task.Delay(Timeout.Infinite, token));
        using var source = new Source(9);
        Task reading = Take(segmenter.SegmentAsync(
            source.Read(), maxConcurrency: 2, cancellationToken: cancellation.Token), []);
        await source.Asks(3);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Patience, Token));
        Assert.Equal(0, segmenter.UnderWay);
        Assert.True(source.Ended);
    }

    [Fact]
    public async Task Whoever_stops_early_leaves_nothing_under_way()
    {
        var segmenter = new Fake((photo, token) =>
            photo.Height == 1 ? Task.CompletedTask : Task.Delay(Timeout.Infinite, token));
        using var source = new Source(9);
        await foreach (Segmentation mask in segmenter.SegmentAsync(
            source.Read(), maxConcurrency: 3, cancellationToken: Token))
        {
            Assert.Equal(1, mask.Height);
            break;
        }
        Assert.Equal(0, segmenter.UnderWay);
        Assert.True(source.Ended);
    }

    [Fact]
    public async Task A_failure_comes_after_the_masks_before_it()
    {
        var segmenter = new Fake((photo, _) =>
            photo.Height == 3 ? Task.FromException(new ImageException("It is broken.")) : Task.CompletedTask);
        using var source = new Source(9);
        var masks = new List<Segmentation>();
        await Assert.ThrowsAsync<ImageException>(
            () => Take(segmenter.SegmentAsync(source.Read(), maxConcurrency: 4, cancellationToken: Token), masks));
        Assert.Equal([1, 2], masks.Select(mask => mask.Height));

        masks.Clear();
        using var camera = new Source(2) { Failure = new IOException("The camera is gone.") };
        await Assert.ThrowsAsync<IOException>(
            () => Take(new Fake((_, token) => Task.Delay(1, token)).SegmentAsync(
                camera.Read(), maxConcurrency: 4, cancellationToken: Token), masks));
        Assert.Equal([1, 2], masks.Select(mask => mask.Height));
    }

    [Fact]
    public void What_cannot_work_is_refused_at_the_call()
    {
        using var source = new Source(1);
        var segmenter = new Fake((_, _) => Task.CompletedTask);
        Assert.Throws<ArgumentNullException>(
            () => segmenter.SegmentAsync((IAsyncEnumerable<Image>)null!, cancellationToken: Token));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => segmenter.SegmentAsync(source.Read(), maxConcurrency: 0, cancellationToken: Token));
    }

    private static async Task Take(IAsyncEnumerable<Segmentation> masks, List<Segmentation> taken)
    {
        await foreach (Segmentation mask in masks)
            taken.Add(mask);
    }

    /// <summary>Pictures of 1, 2, 3 ... rows, so that a mask tells which was its picture.</summary>
    private sealed class Source(int count) : IDisposable
    {
        private readonly Image[] _photos =
            [.. Enumerable.Range(1, count).Select(rows => new Image(width: 1, height: rows, channels: 3))];

        private readonly ConcurrentDictionary<int, TaskCompletionSource> _asks = [];
        private int _asked;

        public Exception? Failure { get; init; }

        /// <summary>How many pictures were asked for.</summary>
        public int Asked => Volatile.Read(ref _asked);

        public bool Ended { get; private set; }

        /// <summary>Ends when so many pictures were asked for.</summary>
        public Task Asks(int pictures) => Signal(pictures).Task.WaitAsync(Patience, Token);

        public async IAsyncEnumerable<Image> Read(
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                for (int i = 1; i <= count; i++)
                {
                    Volatile.Write(ref _asked, i);
                    await Task.Yield();
                    Signal(i).TrySetResult();
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return _photos[i - 1];
                }
                if (Failure is not null)
                    throw Failure;
            }
            finally
            {
                Ended = true;
            }
        }

        public void Dispose()
        {
            foreach (Image photo in _photos)
                photo.Dispose();
        }

        private TaskCompletionSource Signal(int pictures) => _asks.GetOrAdd(
            pictures, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private sealed class Fake(Func<Image, CancellationToken, Task> work) : ISegmenter
    {
        private int _underWay, _most;

        public ModelInfo Info => throw new NotSupportedException();

        /// <summary>Pictures that it has now, and had at most.</summary>
        public int UnderWay => Volatile.Read(ref _underWay);

        public int Most => Volatile.Read(ref _most);

        public async Task<Segmentation> SegmentAsync(
            Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default)
        {
            int height = photo.Height;
            int now = Interlocked.Increment(ref _underWay);
            _most = Math.Max(_most, now);
            try
            {
                await work(photo, cancellationToken);
                return new Segmentation(
                    width: 1, height: height, labels: new ushort[height], confidence: [], classes: 2, classNames: [],
                    timings: default);
            }
            finally
            {
                Interlocked.Decrement(ref _underWay);
            }
        }
    }
}
