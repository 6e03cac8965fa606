using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Tests.Cli;
using Atrous.Tests.Imaging;

namespace Atrous.Tests.Segmenters;

/// <summary>Pictures that are read, and masks that are written, in bands are those that are held whole.</summary>
public sealed class BandTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData(150, 131)]
    [InlineData(40, 200)]
    [InlineData(200, 40)]
    public void A_mask_in_bands_is_the_mask_of_the_whole_picture(int height, int width)
    {
        string path = _place.Add("a.png", Workplace.Photo(height, width));
        var options = new SegmenterOptions { Window = new SlidingWindow(64, 0.33), MaxBatch = 3 };
        using Segmenter segmenter = Segmenter.Load(model.Path, options);
        using Image photo = Image.Load(path);
        Segmentation whole = segmenter.Segment(photo);
        using var wholePng = new MemoryStream();
        whole.SaveMask(wholePng);

        using var bands = new PngBands(path, Image.DefaultMaxPixels);
        using var rows = new LabelRows(height, width, whole.Classes, Palette.For(whole.ClassNames));
        var counts = new long[whole.Classes];
        int next = 0;
        segmenter.Segment(bands, (top, labels, _, _) =>
        {
            Assert.Equal(next, top);
            next += labels.Length / width;
            Assert.Equal(whole.Labels.Slice(top * width, labels.Length), labels);
            rows.Write(labels);
            foreach (ushort label in labels)
                counts[label]++;
        }, TestContext.Current.CancellationToken);
        Assert.Equal(height, next);
        EncodedImage file = rows.End();
        Assert.Equal(wholePng.ToArray(), file.Bytes.ToArray());
        Assert.Equal(whole.Shares, ClassShare.OfCounts(counts));
    }

    /// <summary>The last two rows of windows side by side: their sums are the same but for the last bits.</summary>
    [Theory]
    [InlineData(150, 131)]
    [InlineData(70, 131)]
    public void Little_memory_gives_the_same_mask(int height, int width)
    {
        var options = new SegmenterOptions { Window = new SlidingWindow(64, 0.33), MaxBatch = 2 };
        using Segmenter usual = Segmenter.Load(model.Path, options);
        using Segmenter little = Segmenter.Load(model.Path, options with { MostSharedBytes = 0 });
        using Image photo = Image.Load(Workplace.Photo(height, width));
        Segmentation expected = usual.Segment(photo, true), mask = little.Segment(photo, true);
        int others = 0;
        for (int i = 0; i < expected.Labels.Length; i++)
        {
            Assert.Equal(expected.Confidence[i], mask.Confidence[i], 1e-5f);
            others += expected.Labels[i] == mask.Labels[i] ? 0 : 1;
        }
        Assert.InRange(others, 0, 2);
    }

    [Fact]
    public void Windows_of_a_file_are_those_of_the_picture_in_any_order()
    {
        string path = _place.Add("a.png", Workplace.Photo(50, 20));
        using Image photo = Image.Load(path);
        using var bands = new PngBands(path, Image.DefaultMaxPixels);
        Assert.Equal((50, 20), (bands.Height, bands.Width));
        foreach ((int top, int left) in new[] { (0, 0), (0, 5), (4, 0), (30, 2), (41, 2), (3, 1) })
        {
            using Image part = bands.Window(top, left, 9, 15), expected = photo.Crop(top, left, 9, 15);
            Assert.Equal(expected.Pixels, part.Pixels);
        }
    }

    [Fact]
    public void What_cannot_be_read_in_bands_is_a_sentence()
    {
        Assert.Equal(3_600_000_000, PngBands.PixelsOf(_place.Add("huge.png", HugePng.Bytes(60000, 60000))));
        Assert.Equal(0, PngBands.PixelsOf(_place.Add("text.txt", "no picture")));
        Assert.Equal(0, PngBands.PixelsOf(_place["none.png"]));
        Assert.Contains("limit of 1000", Refused("huge.png", 1000));
        Assert.Contains(
            "Not enough image data", Assert.Throws<ImageException>(() =>
            {
                using var bands = new PngBands(_place["huge.png"], long.MaxValue);
                bands.Window(0, 0, 64, 64).Dispose();
            }).Message);
        _place.Add("wide.png", HugePng.Bytes(int.MaxValue, 1));
        Assert.Contains("cut the picture up", Refused("wide.png", long.MaxValue));
        _place.Add("interlaced.png", ImageFixtures.BytesOf("rgb8_interlaced.png"));
        Assert.Contains("interlaced", Refused("interlaced.png", 1000));
        _place.Add("photo.jpg", ImageFixtures.BytesOf("rgb420.jpg"));
        Assert.Contains("no PNG", Refused("photo.jpg", 1000));
        Assert.Contains("cannot be read", Refused("none.png", 1000));
    }

    private string Refused(string file, long maxPixels) =>
        Assert.Throws<ImageException>(() => new PngBands(_place[file], maxPixels)).Message;
}
