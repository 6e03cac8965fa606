using System.Runtime.CompilerServices;
using Atrous.Imaging;
using Atrous.Tensors;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Segmenters;

/// <summary>The ways to ask a segmenter: as an interface, as a stream of pictures, for probabilities.</summary>
public sealed class AskingTests(GeneratedModel model)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_says_whether_confidences_are_wanted()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        using Image photo = Photo(65);
        ISegmenter any = segmenter;
        Segmentation expected = segmenter.Segment(photo, confidence: true, Token);
        Assert.True((await any.SegmentAsync(photo, null, Token)).Confidence.IsEmpty);
        Segmentation mask = await any.SegmentAsync(photo, new() { Confidence = true, Priority = 3 }, Token);
        Assert.Equal(expected.Labels.ToArray(), mask.Labels.ToArray());
        Assert.Equal(expected.Confidence.ToArray(), mask.Confidence.ToArray());
        Assert.Equal(segmenter.Info, any.Info);
    }

    [Fact]
    public async Task A_timeout_is_told_from_a_cancellation()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        using Image photo = Photo(65);
        await Assert.ThrowsAsync<RequestTimeoutException>(
            () => segmenter.SegmentAsync(photo, new() { Timeout = TimeSpan.Zero }, Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => segmenter.SegmentAsync(
                photo, new() { Timeout = TimeSpan.FromHours(1) }, new CancellationToken(true)));
        Assert.NotNull(await segmenter.SegmentAsync(photo, new() { Timeout = TimeSpan.FromHours(1) }, Token));
    }

    [Fact]
    public async Task Pictures_come_in_and_masks_go_out_in_their_order()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        Image[] photos = [Photo(65), Photo(81), Photo(49)];
        var masks = new List<Segmentation>();
        await foreach (Segmentation mask in segmenter.SegmentAsync(
            Coming(photos, fail: false, Token), cancellationToken: Token))
            masks.Add(mask);
        Assert.Equal(photos.Select(photo => photo.Height), masks.Select(mask => mask.Height));
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            await foreach (Segmentation mask in segmenter.SegmentAsync(
                Coming(photos, fail: true, Token), cancellationToken: Token))
                Assert.NotNull(mask);
        });
        foreach (Image photo in photos)
            photo.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Probabilities_sum_to_one_and_their_winners_are_the_mask(bool augmented)
    {
        var options = new SegmenterOptions { Augmentation = augmented ? new([1.0], flip: true) : null };
        using Segmenter segmenter = Segmenter.Load(model.Path, options);
        using Image photo = Photo(65);
        Segmentation mask = segmenter.Segment(photo, confidence: true, Token);
        using Tensor probabilities = segmenter.Probabilities(photo, Token);
        Assert.Equal(new Shape(1, 65, 65, 5), probabilities.Shape);
        ReadOnlySpan<float> all = probabilities.Image<float>(0);
        for (int i = 0; i < 65 * 65; i++)
        {
            float[] pixel = all.Slice(i * 5, 5).ToArray();
            // Five float32 quotients, each rounded to 6e-8 of itself.
            Assert.Equal(1, pixel.Sum(), 1e-6f);
            Assert.Equal(pixel.Max(), pixel[mask.Labels[i]]);
            Assert.Equal(mask.Confidence[i], pixel[mask.Labels[i]], 1e-5f);
        }
        float[] own = new float[all.Length];
        segmenter.CopyProbabilities(photo, own, Token);
        Assert.Equal(all, own);
        Assert.Throws<ArgumentException>(() => segmenter.CopyProbabilities(photo, own.AsSpan(1), Token));
    }

    [Fact]
    public void A_window_has_no_probabilities_of_the_whole()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path, new SegmenterOptions { Window = new(65) });
        using Image photo = Photo(65);
        var refused = Assert.Throws<UnavailableException>(() => segmenter.Probabilities(photo, Token));
        Assert.Contains("without a window", refused.Message);
    }

    [Fact]
    public void The_logger_hears_of_the_model_and_of_every_size_once()
    {
        var lines = new List<string>();
        using Segmenter segmenter =
            Segmenter.Load(model.Path, new SegmenterOptions { Device = "cpu", Logger = new Listener(lines) });
        using Image photo = Photo(65);
        segmenter.Segment(photo, cancellationToken: Token);
        segmenter.Segment(photo, cancellationToken: Token);
        Assert.Equal(2, lines.Count);
        Assert.Contains(model.Path, lines[0]);
        Assert.Equal("First run for pictures of 65x65, 1 at a time, on device cpu.", lines[1]);
    }

    private sealed class Listener(List<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            lines.Add(formatter(state, exception));
    }

    private static async IAsyncEnumerable<Image> Coming(
        Image[] photos, bool fail, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (Image photo in photos)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return photo;
        }
        if (fail)
            throw new IOException("The camera is gone.");
    }

    private static Image Photo(int side)
    {
        var photo = new Image(side, side, 3);
        new Random(side).NextBytes(photo.Pixels);
        return photo;
    }
}
