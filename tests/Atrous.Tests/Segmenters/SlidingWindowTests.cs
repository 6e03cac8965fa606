using Atrous.Imaging;
using Atrous.Native;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>Pictures in windows: the mask of the whole, at any size and overlap.</summary>
public sealed class SlidingWindowTests(GeneratedModel model, ITestOutputHelper output)
{
    /// <summary>
    /// A photo-like picture and a real network: with its image pooling shared, windows see nearly what the whole sees.
    /// What remains are surfaces that only far context can tell apart; larger windows have more of it.
    /// </summary>
    [Theory]
    [InlineData(513, 0.97)]
    [InlineData(769, 0.99)]
    public void Windows_give_the_mask_of_the_whole(int window, double expectedAgreement)
    {
        string path = Shared.Require("models/deeplabv3_mobilenet_edgetpu_slim_cityscapes.safetensors");
        using Image photo = Enlarged(Repository.PathOf("samples/street.png"), 1025, 2049);
        ModelInfo info = ModelInfo.Read(path);
        var native = new SegmenterOptions
        {
            Preprocessing = info.Preprocessing with { Resize = new ResizePolicy.None() },
        };
        using Segmenter whole = Segmenter.Load(path, native);
        using Segmenter windows =
            Segmenter.Load(path, new SegmenterOptions { Window = new SlidingWindow(window, 0.33) });
        ushort[] expected = whole.Segment(photo).Labels.ToArray(), actual = windows.Segment(photo).Labels.ToArray();
        double agreement = Agreement(expected, actual);
        output.WriteLine($"{agreement:P2} of the pixels agree");
        Assert.True(agreement >= expectedAgreement, $"only {agreement:P2} of the pixels agree");
    }

    [Theory]
    [InlineData(1, 1, 0.33)]
    [InlineData(40, 63, 0.33)]
    [InlineData(64, 64, 0.9)]
    public void A_picture_within_a_window_is_segmented_whole(int height, int width, double overlap)
    {
        using Segmenter whole = Segmenter.Load(model.Path), windows = Load(new SlidingWindow(64, overlap));
        using Image photo = Photo(height, width);
        Segmentation expected = whole.Segment(photo, confidence: true),
            actual = windows.Segment(photo, confidence: true);
        Assert.Equal((height, width), (actual.Height, actual.Width));
        Assert.Equal(expected.Labels.ToArray(), actual.Labels.ToArray());
        for (int i = 0; i < expected.Confidence.Length; i++)
            Assert.Equal(expected.Confidence[i], actual.Confidence[i], 1e-4f);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.33)]
    [InlineData(0.9)]
    public void Any_overlap_gives_a_whole_mask(double overlap)
    {
        using Segmenter windows = Load(new SlidingWindow(64, overlap));
        using Image photo = Photo(100, 131);
        Segmentation result = windows.Segment(photo, confidence: true);
        Assert.Equal(100 * 131, result.Labels.Length);
        foreach (float confidence in result.Confidence)
            Assert.InRange(confidence, 1f / result.Classes - 1e-6f, 1f + 1e-6f);
        // Batches change nothing.
        using Segmenter single = Load(new SlidingWindow(64, overlap), new SegmenterOptions { MaxBatch = 1 });
        Assert.Equal(result.Labels.ToArray(), single.Segment(photo).Labels.ToArray());
    }

    [Fact]
    public void Augmented_windows_agree_with_the_augmented_whole()
    {
        var augmented = new SegmenterOptions { Augmentation = new TestTimeAugmentation([0.75, 1], flip: true) };
        using Segmenter whole = Segmenter.Load(model.Path, augmented);
        using Segmenter windows = Load(new SlidingWindow(161, 0.5), augmented);
        using Image photo = Photo(161, 257);
        double agreement = Agreement(whole.Segment(photo).Labels.ToArray(), windows.Segment(photo).Labels.ToArray());
        Assert.InRange(agreement, 0.8, 1);
    }

    /// <summary>
    /// The scores of the whole picture would be one block, or blocks that grow with its rows; bench/memory.sh looks at
    /// the same from outside, at the tool's resident memory.
    /// </summary>
    [Fact]
    public void The_scores_of_the_whole_picture_are_never_held()
    {
        const int Width = 128, Rows = 256;
        using Segmenter windows = Load(new SlidingWindow(64, 0), new SegmenterOptions { Threads = 1 });
        LargestFor(Rows); // packs the weights
        long small = LargestFor(Rows), large = LargestFor(8 * Rows);
        Assert.InRange(large, 1, Rows * Width * windows.Info.Classes * sizeof(float));
        Assert.Equal(small, large);

        long LargestFor(int rows)
        {
            using Image photo = Photo(rows, Width);
            NativeBuffer.LargestOfThread = 0;
            Assert.Equal(rows * Width, windows.Segment(photo).Labels.Length);
            return NativeBuffer.LargestOfThread;
        }
    }

    [Fact]
    public void Cancellation_ends_between_windows()
    {
        using Segmenter windows = Load(new SlidingWindow(64, 0.9));
        using Image photo = Photo(2000, 2000);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        Assert.ThrowsAny<OperationCanceledException>(() => windows.Segment(photo, cancellationToken: soon.Token));
    }

    [Fact]
    public void A_window_and_a_crf_do_not_go_together()
    {
        UnavailableException refused = Assert.Throws<UnavailableException>(
            () => Load(new SlidingWindow(64), new SegmenterOptions { Crf = DenseCrfParameters.PyDenseCrf }));
        Assert.Contains("leave out one", refused.Message);
    }

    internal static Image Photo(int height, int width)
    {
        var image = new Image(height, width, 3);
        Span<byte> pixels = image.Pixels;
        var random = new Random(11);
        for (int i = 0; i < pixels.Length; i++)
        {
            int y = i / 3 / width, x = i / 3 % width;
            pixels[i] = (byte)((y / 23 + x / 31) % 3 * 90 + i % 3 * 20 + random.Next(20));
        }
        return image;
    }

    private static double Agreement(ushort[] a, ushort[] b) =>
        a.Zip(b).Count(pair => pair.First == pair.Second) / (double)a.Length;

    private static Image Enlarged(string path, int height, int width)
    {
        const int Bicubic = 1;
        using Image photo = Image.Load(path);
        var enlarged = new Image(height, width, photo.Channels);
        using var engine = new EngineHandle(1);
        using PixelLease from = photo.Lease(), to = enlarged.Lease();
        LibAtrous.ThrowIfFailed(LibAtrous.ImageResize(engine, in from.Image, Bicubic, in to.Image));
        return enlarged;
    }

    private Segmenter Load(SlidingWindow window, SegmenterOptions? options = null) =>
        Segmenter.Load(model.Path, (options ?? new SegmenterOptions()) with { Window = window });
}
