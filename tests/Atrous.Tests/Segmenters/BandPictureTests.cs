using Atrous.Imaging;
using Atrous.Scoring;
using Atrous.Tensors;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Segmenters;

/// <summary>Pictures of any number of bands, from memory.</summary>
public sealed class BandPictureTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Bands_that_bytes_hold_give_what_bytes_give()
    {
        using Segmenter segmenter = Segmenter.Load(BandModel.Write(_place["4.safetensors"], 4));
        using var bytes = new Image(40, 53, 4);
        new Random(1).NextBytes(bytes.Pixels);
        using Image bands = Image.FromBands(Floats(bytes.Pixels), 40, 53, 4);
        Assert.Equal((4, 3), (bands.Bands, bands.Channels));
        using Tensor expected = segmenter.Scores(bytes, TestContext.Current.CancellationToken),
            scores = segmenter.Scores(bands, TestContext.Current.CancellationToken);
        Assert.Equal(expected.Image<float>(0), scores.Image<float>(0));
    }

    [Fact]
    public void Parts_and_mirror_images_have_the_bands()
    {
        float[] samples = [.. Enumerable.Range(0, 6 * 5 * 7).Select(i => i / 3f)];
        using Image picture = Image.FromBands(samples, 6, 5, 7), part = picture.Crop(2, 1, 3, 4),
            mirrored = picture.Mirrored();
        for (int y = 0; y < 6; y++)
        {
            for (int x = 0; x < 5; x++)
            {
                ReadOnlySpan<float> pixel = samples.AsSpan((y * 5 + x) * 7, 7);
                Assert.Equal(pixel, mirrored.Samples.AsSpan((y * 5 + 4 - x) * 7, 7));
                if (y is >= 2 and < 5 && x >= 1)
                    Assert.Equal(pixel, part.Samples.AsSpan(((y - 2) * 4 + x - 1) * 7, 7));
            }
        }
    }

    [Theory]
    [InlineData(7)]
    [InlineData(13)]
    public void Networks_of_many_bands_run(int count)
    {
        string path = BandModel.Write(_place["many.safetensors"], count);
        float[] samples =
            [.. Enumerable.Range(0, 70 * 66 * count).Select(i => (float)(i * 7 % 251) + (i % count == 3 ? 400 : 0))];
        using Image picture = Image.FromBands(samples, 70, 66, count);
        using Segmenter whole = Segmenter.Load(path), sliding = Segmenter.Load(path, new SegmenterOptions
        {
            Window = new SlidingWindow(64, 0.33),
            Augmentation = new TestTimeAugmentation([1], flip: true),
        });
        Assert.Equal(70 * 66, whole.Segment(picture).Labels.Length);
        Assert.Equal(70 * 66, sliding.Segment(picture).Labels.Length);
        using var photo = new Image(70, 66, 3);
        Assert.Contains($"its {count} bands", Assert.Throws<ImageException>(() => whole.Segment(photo)).Message);
    }

    [Fact]
    public void What_is_no_number_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Image.FromBands([1, 2, 3], 1, 1, 2));
        Assert.Throws<ArgumentException>(() => Image.FromBands([1, float.NaN], 1, 1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.FromBands([], 1, 1, 0));
    }

    private static float[] Floats(ReadOnlySpan<byte> bytes)
    {
        float[] floats = new float[bytes.Length];
        for (int i = 0; i < floats.Length; i++)
            floats[i] = bytes[i];
        return floats;
    }
}
