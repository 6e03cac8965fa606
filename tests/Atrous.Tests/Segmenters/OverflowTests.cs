using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;

namespace Atrous.Tests.Segmenters;

/// <summary>
/// Scores that are infinite or no numbers have no mask: a sentence in its place, in every way of making one.
/// </summary>
public sealed class OverflowTests : IDisposable
{
    private readonly string _path =
        Path.Combine(Path.GetTempPath(), $"atrous-{Guid.NewGuid():n}.safetensors");

    public OverflowTests() => GeneratedModel.WriteEnlarged(_path, 1e30f);

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void No_mask_is_made(string device)
    {
        using Image photo = Photo();
        using Segmenter segmenter = Segmenter.Load(_path, new SegmenterOptions { Device = device });
        ScoreException failure = Assert.Throws<ScoreException>(() => segmenter.Segment(photo));
        Assert.Matches("^The network's scores are infinite or no numbers, .*\\.$", failure.Message);
        Assert.Throws<ScoreException>(() => segmenter.Segment(photo, confidence: true));
        Assert.Throws<ScoreException>(() => segmenter.Segment([photo, photo]));
        Assert.Throws<ScoreException>(() => segmenter.Probabilities(photo).Dispose());
    }

    [Fact]
    public void Nor_of_windows_scales_and_the_crf()
    {
        using Image photo = Photo();
        foreach (SegmenterOptions options in (SegmenterOptions[])
        [
            new() { Window = new SlidingWindow(65) }, new() { Augmentation = new TestTimeAugmentation([1], true) },
            new() { Crf = DenseCrfParameters.PyDenseCrf },
        ])
        {
            using Segmenter segmenter = Segmenter.Load(_path, options);
            Assert.Throws<ScoreException>(() => segmenter.Segment(photo));
        }
    }

    private static Image Photo()
    {
        byte[] bytes = new byte[65 * 97 * 3];
        new Random(3).NextBytes(bytes);
        return Image.FromPixels(bytes, 65, 97, PixelFormat.Rgb);
    }
}
