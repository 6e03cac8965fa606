using System.Diagnostics;
using System.Globalization;
using Atrous.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Options;

/// <summary>--tile, --overlap, --scales and --flip, and what they hold in memory.</summary>
public sealed class ScoringOptionsTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("--tile", "32")]
    [InlineData("--tile", "32", "--overlap", "0")]
    [InlineData("--tile", "32", "--overlap", "0.9", "--flip")]
    [InlineData("--scales", "0.75,1,1.25")]
    [InlineData("--flip")]
    [InlineData("--scales", "0.5", "--flip", "--crf")]
    public void An_option_gives_a_mask_of_the_same_size(params string[] options)
    {
        _place.AddPhoto("a.png");
        Segment(options).Exits(0);
        _place.AssertMask("a.mask.png");
    }

    [Fact]
    public void A_picture_of_one_pixel_is_segmented()
    {
        _place.Add("a.png", Workplace.Photo(1, 1));
        Segment("--tile", "513", "--scales", "0.5,1", "--flip").Exits(0);
        _place.AssertMask("a.mask.png", 1, 1);
    }

    [Theory]
    [InlineData("--tile takes a number of pixels from 32 to 16384, not '0'", "--tile", "0")]
    [InlineData("not 'big'", "--tile", "big")]
    [InlineData("--overlap takes a number from 0 to 0.9, not '1'", "--tile", "64", "--overlap", "1")]
    [InlineData("not '-0.1'", "--tile", "64", "--overlap=-0.1")]
    [InlineData("give both", "--overlap", "0.5")]
    [InlineData("leave out one", "--tile", "64", "--crf")]
    [InlineData("leave out --resize", "--tile", "64", "--resize", "65x65")]
    [InlineData("--scales takes", "--scales", "0")]
    [InlineData("--scales takes", "--scales", "1,,2")]
    [InlineData("--scales takes", "--scales", "NaN")]
    public void A_wrong_value_is_wrong_usage(string part, params string[] options)
    {
        _place.AddPhoto("a.png");
        Segment(options).Refuses(2, part);
        Assert.Equal(["a.png"], _place.Files);
    }

    /// <summary>
    /// Eight times the rows cost the picture, its labels and their file, some 8 bytes a pixel. The scores, which would
    /// be 20 more with this model's 5 classes, are not held.
    /// </summary>
    [Fact]
    public void Memory_does_not_grow_by_the_scores_of_the_picture()
    {
        const int Width = 512, Rows = 1024, Times = 8;
        long small = PeakOf(Rows, Width), large = PeakOf(Times * Rows, Width);
        double perPixel = (large - small) / (double)((Times - 1) * Rows * Width);
        Assert.True(perPixel < 16, $"{perPixel:0.0} bytes a pixel: {small / 1e6:0} MB, then {large / 1e6:0} MB");
    }

    private ToolResult Segment(params string[] options) =>
        Tool.Run(["segment", _place["a.png"], "-q", "--model", model.Path, .. options]);

    /// <summary>The most memory that the program had resident, as the kernel counts it.</summary>
    private long PeakOf(int height, int width)
    {
        using (var photo = new Image(height, width, 3))
            photo.SavePng(_place["a.png"]);
        Process process = Tool.Start(
            _place.Folder, "segment", "a.png", "-q", "--model", model.Path, "--tile", "257", "--overlap", "0",
            "--threads", "1");
        long peak = 0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, HighWater(process.Id));
            Thread.Sleep(2);
        }
        Tool.Finish(process, []).Exits(0);
        _place.AssertMask("a.mask.png", height, width);
        return peak;
    }

    private static long HighWater(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It ended in between.
            return 0;
        }
    }
}
