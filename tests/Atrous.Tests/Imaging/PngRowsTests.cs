using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Imaging;

/// <summary>Rows of a PNG by themselves, and a label map from rows.</summary>
public sealed class PngRowsTests : IDisposable
{
    private readonly Workplace _place = new();

    public static TheoryData<string> Pngs =>
        [.. ImageFixtures.Expected.Decoded.Keys.Where(name => name.EndsWith(".png"))];

    public void Dispose() => _place.Dispose();

    [Theory]
    [MemberData(nameof(Pngs))]
    public void Rows_are_those_of_the_whole_picture(string file)
    {
        string path = ImageFixtures.PathOf(file);
        if (file.Contains("interlaced"))
        {
            Assert.Throws<ImageException>(() => new PngBands(path, 1000));
            return;
        }
        ExpectedImage expected = ImageFixtures.Expected.Decoded[file];
        using var bands = new PngBands(path, 1000);
        for (int top = 0; top < expected.Height; top += 5)
        {
            int height = Math.Min(5, expected.Height - top), row = expected.Width * expected.Channels;
            using Image band = bands.Window(top, 0, height, expected.Width);
            Assert.Equal(expected.Pixels.AsSpan(top * row, height * row), band.Pixels);
        }
        Assert.Null(bands.Warning);
    }

    [Theory]
    [InlineData(2, false, "The file is an animation; its first picture is read.")]
    [InlineData(2, true, "The file is an animation; .* stops before its end mark")]
    [InlineData(1, false, null)]
    public void Rows_of_an_animation_are_said_to_be(byte frames, bool isCut, string? warning)
    {
        byte[] file = ImageFixtures.BytesOf("rgb8.png");
        file = PngFile.With(file, PngFile.StartOfPixels(file), "acTL", [0, 0, 0, frames, 0, 0, 0, 0]);
        if (isCut)
            file = file[..PngFile.EndOfPixels(file)];
        using var bands = new PngBands(_place.Add("frames.png", file), 1000);
        bands.Window(0, 0, bands.Height, bands.Width);
        if (warning is null)
            Assert.Null(bands.Warning);
        else
            Assert.Matches(warning, bands.Warning);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(300)]
    public void A_label_map_has_all_its_rows_and_no_others(int classes)
    {
        const int height = 13, width = 17;
        var labels = new ushort[height * width];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = (ushort)(i % 5);
        using var rows = new LabelRows(height, width, classes, Palette.Default);
        rows.Write(labels.AsSpan(0, 4 * width));
        Assert.Throws<ArgumentException>(() => { rows.End(); });
        Assert.ThrowsAny<ArgumentException>(() => { rows.Write([(ushort)classes, .. new ushort[width - 1]]); });
        rows.Write(labels.AsSpan(4 * width));
        Assert.Throws<ArgumentException>(() => { rows.Write(labels.AsSpan(0, width)); });
        string path = _place.Add("map.png", rows.End().Bytes.ToArray());
        Assert.Equal(labels, LabelImage.Load(path).Labels.ToArray());
    }
}
