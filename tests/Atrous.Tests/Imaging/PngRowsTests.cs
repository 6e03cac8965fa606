using Atrous.Files;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Postprocessing;
using Atrous.Tests.Cli;
using Microsoft.Win32.SafeHandles;

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

    /// <summary>A mapped file would end the process here, as would a disk that fails.</summary>
    [Fact]
    public void A_file_that_becomes_shorter_between_two_bands_is_a_sentence()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows refuses to shorten a file that is open.");
        const int side = 512;
        string path = _place["noise.png"];
        using (var noise = new Image(side, side, 3))
        {
            new Random(1).NextBytes(noise.Pixels);
            noise.SavePng(path);
        }
        using var bands = new PngBands(path, side * side);
        bands.Window(0, 0, 8, side).Dispose();
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(1000);
        var e = Assert.Throws<ImageException>(() => bands.Window(side - 8, 0, 8, side));
        Assert.Equal(
            $"{path}: the file became shorter while it was read; use one that stays as it is.", e.Message);
    }

    /// <summary>
    /// Of a process's memory nothing is at 0, which Linux tells as it tells of a disk that fails (EIO).
    /// </summary>
    [Fact]
    public void A_disk_that_fails_is_a_sentence_and_may_be_tried_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has a file that fails like a disk.");
        using SafeFileHandle file = File.OpenHandle("/proc/self/mem");
        var bytes = new PngInFile(file, 100);
        var e = Assert.Throws<ImageException>(() => bytes.Read(0, new byte[8]));
        Assert.StartsWith("the file cannot be read (", e.Message);
        Assert.True(PassingError.IsIn(e));
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
