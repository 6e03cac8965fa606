using System.Text.Json;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>`atrous segment --tile` of a PNG that is read, and whose mask is written, in bands of rows.</summary>
public sealed class SegmentBandsTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData(150, 131)]
    [InlineData(70, 64)]
    public void The_mask_is_that_of_the_picture_held_whole(int height, int width)
    {
        byte[] photo = Workplace.Photo(height, width);
        _place.Add("photo.png", photo);
        _place.Add("cut.png", photo[..^12]); // without IEND
        JsonElement whole = Segment("photo.png", "whole.png", bands: false).Json,
            banded = Segment("photo.png", "banded.png", bands: true).Json;
        ToolResult cut = Segment("cut.png", "cut.mask.png", bands: true);
        _place.AssertMask("banded.png", height, width);
        Assert.Equal(File.ReadAllBytes(_place["whole.png"]), File.ReadAllBytes(_place["banded.png"]));
        Assert.Equal(File.ReadAllBytes(_place["whole.png"]), File.ReadAllBytes(_place["cut.mask.png"]));
        Assert.Equal(Classes(whole), Classes(banded));
        // Bands are decoded while windows slide, and no time is told for it.
        Assert.Equal(0, Decode(banded));
        Assert.NotEqual(0, Decode(whole));
        Assert.Contains(
            "cut.png", Assert.Single(cut.ErrorLines, line => line.Contains(" end", StringComparison.Ordinal)));
        Assert.True(Picture(cut.Json).TryGetProperty("warning", out _));
        Assert.False(Picture(banded).TryGetProperty("warning", out _));
    }

    [Fact]
    public void An_overlay_keeps_the_picture_whole()
    {
        _place.Add("photo.png", Workplace.Photo(70, 64));
        JsonElement report = Segment("photo.png", "m.png", bands: true, "--overlay").Json;
        Assert.NotEqual(0, Decode(report));
        Assert.Contains("m.overlay.png", _place.Files);
    }

    private ToolResult Segment(string photo, string mask, bool bands, params string[] options)
    {
        KeyValuePair<string, string>[] environment = bands ? [new("ATROUS_BANDS_FROM", "1000")] : [];
        string[] arguments =
        [
            "segment", _place[photo], "-m", model.Path, "--tile", "64", "-o", _place[mask], "--json", .. options,
        ];
        return Tool.Finish(Tool.Start(_place.Folder, environment, arguments), []).Exits(0);
    }

    private static JsonElement Picture(JsonElement report) => report.GetProperty("results")[0];

    private static string Classes(JsonElement report) => Picture(report).GetProperty("classes").GetRawText();

    private static double Decode(JsonElement report) =>
        Picture(report).GetProperty("milliseconds").GetProperty("decode").GetDouble();
}
