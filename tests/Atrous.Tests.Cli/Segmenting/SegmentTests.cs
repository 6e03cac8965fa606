using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>`atrous segment`: what it writes, and where.</summary>
public sealed class SegmentTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void One_picture_gives_a_mask_beside_it_and_a_table()
    {
        _place.AddPhoto("photo.png");
        ToolResult result = Segment(_place["photo.png"]).Exits(0);
        Assert.Equal(["photo.mask.png", "photo.png"], _place.Files);
        _place.AssertMask("photo.mask.png");
        Assert.Contains("share", result.Output);
        Assert.Contains("class ", result.Output);
        Assert.EndsWith($"\nmask in {_place["photo.mask.png"]}\n", result.Output);
        Assert.Contains("on cpu", result.ErrorLines[0]);
        // The network knows nothing, and the tool tells.
        Assert.Contains("is decided with a confidence below", Assert.Single(result.ErrorLines[1..]));
        Assert.DoesNotContain('\e', result.Output);
    }

    [Fact]
    public void The_overlay_has_its_opacity()
    {
        byte[] photo = Workplace.Photo();
        _place.Add("photo.png", photo);
        Segment(_place["photo.png"], "--overlay", "--opacity", "0").Exits(0);
        using Image original = Image.Load(photo);
        using (Image clear = Image.Load(_place["photo.overlay.png"]))
            Assert.Equal(original.Pixels, clear.Pixels);
        Segment(_place["photo.png"], "--overlay").Exits(0);
        using (Image coloured = Image.Load(_place["photo.overlay.png"]))
            Assert.False(original.Pixels.SequenceEqual(coloured.Pixels));
        Assert.Equal(["photo.mask.png", "photo.overlay.png", "photo.png"], _place.Files);
    }

    [Theory]
    [InlineData("masks", "masks/photo.mask.png", "masks/photo.overlay.png")]
    [InlineData("masks/", "masks/photo.mask.png", "masks/photo.overlay.png")]
    [InlineData("new/deep/m.png", "new/deep/m.png", "new/deep/m.overlay.png")]
    [InlineData("m.mask.png", "m.mask.png", "m.overlay.png")]
    public void The_output_is_a_folder_or_a_png(string output, string mask, string overlay)
    {
        _place.AddPhoto("photo.png");
        Segment(_place["photo.png"], "-o", _place[output], "--overlay").Exits(0);
        Assert.Equal(new[] { mask, overlay, "photo.png" }.Order(StringComparer.Ordinal), _place.Files);
    }

    [Fact]
    public void A_folder_keeps_its_sub_folders_and_only_pictures_are_taken()
    {
        foreach (string picture in new[] { "in/a.png", "in/sub/a.PNG", "in/sub/deep/b.png", "in/.hidden.png" })
            _place.AddPhoto(picture);
        _place.Add("in/notes.txt", "no picture");
        string[] before = _place.Files;
        ToolResult first = Segment(_place["in"], "-o", _place["out"]).Exits(0);
        string[] masks = ["out/a.mask.png", "out/sub/a.mask.png", "out/sub/deep/b.mask.png"];
        Assert.Equal(masks, _place.Files.Except(before));
        Assert.Matches(
            $"^atrous: 3 of 3 pictures segmented in .* s; masks in {Regex.Escape(_place["out"])} and below it$",
            first.ErrorLines[^1]);
        string[] lines = first.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Matches(
            $@"^{Regex.Escape(_place["in/a.png"])}  {Regex.Escape(_place["out/a.mask.png"])}  .+ \d+ %(, .+ \d+ %)*$",
            lines[0]);

        // Beside the inputs, twice: what the first run wrote is no input of the second.
        Segment(_place["in"], "--overlay").Exits(0);
        string[] after = _place.Files;
        Segment(_place["in"], "--overlay").Exits(0);
        Assert.Equal(after, _place.Files);
        ToolResult json = Segment(_place["in/a.png"], _place["in/sub"], "--overlay", "--json").Exits(0);
        Assert.Equal($"atrous: masks and overlays in {_place["in"]} and below it", json.ErrorLines[^1]);
        Assert.Contains("in/sub/deep/b.overlay.png", after);
    }

    [Fact]
    public void A_bad_picture_among_good_ones_is_reported_and_the_rest_go_on()
    {
        _place.AddPhoto("in/a.png");
        _place.Add("in/b.jpg", "this is no JPEG");
        _place.Add("in/c.png", Workplace.Photo()[..200]);
        _place.AddPhoto("in/d.png");
        ToolResult result = Segment(_place["in"], _place["nowhere.png"], "-o", _place["out"], "--quiet").Exits(3);
        Assert.Equal(3, result.ErrorLines.Length);
        Assert.Contains("nowhere.png", result.Error);
        Assert.Single(result.ErrorLines, line => line.StartsWith("atrous: ") && line.Contains("b.jpg"));
        Assert.Single(result.ErrorLines, line => line.StartsWith("atrous: ") && line.Contains("c.png"));
        Assert.Equal(["out/a.mask.png", "out/d.mask.png"], _place.Files.Where(file => file.StartsWith("out")));
    }

    [Fact]
    public void Inputs_that_are_not_there_need_no_model()
    {
        Tool.Run("segment", _place["nowhere.png"], "--model", _place["nothing.pth"], "-q").Refuses(3, "nowhere.png");
        Tool.Run("segment", _place.Folder, "--model", _place["nothing.pth"], "-q").Refuses(3, ".jpg");
    }

    [Fact]
    public void Standard_input_gives_a_mask_on_standard_output()
    {
        byte[] photo = Workplace.Photo();
        _place.Add("photo.png", photo);
        Segment(_place["photo.png"]).Exits(0);
        ToolResult piped = Tool.Pipe(photo, "segment", "-", "--model", model.Path).Exits(0);
        Workplace.AssertMask(piped.Bytes);
        Assert.Equal(_place.AssertMask("photo.mask.png"), piped.Bytes);
        Assert.Contains("share", piped.Error);
        Assert.EndsWith("\nmask on standard output\n", piped.Error);

        Tool.Pipe(photo, "segment", "-", "--model", model.Path, "-o", _place["piped.png"], "-q").Exits(0);
        Assert.Equal(piped.Bytes, _place.AssertMask("piped.png"));
        Tool.Pipe([], "segment", "-", "--model", model.Path, "-q").Refuses(3, "standard input");
        Assert.Equal(piped.Bytes, Segment(_place["photo.png"], "-o", "-", "-q").Exits(0).Bytes);
    }

    [Fact]
    public void Json_tells_about_every_picture()
    {
        _place.AddPhoto("in/a.png");
        _place.Add("in/b.png", "broken");
        ToolResult result = Segment(_place["in"], "--json", "--overlay", "-q").Exits(3);
        Assert.Single(result.ErrorLines);
        JsonElement json = result.Json;
        Assert.Equal("cpu", json.GetProperty("device").GetString());
        Assert.Equal("fp32", json.GetProperty("precision").GetString());
        Assert.Equal("DeepLabV3+", json.GetProperty("model").GetProperty("architecture").GetString());
        Assert.Equal(1, json.GetProperty("segmented").GetInt32());
        Assert.Equal(1, json.GetProperty("failed").GetInt32());
        Assert.False(json.GetProperty("interrupted").GetBoolean());

        JsonElement good = json.GetProperty("results")[0], bad = json.GetProperty("results")[1];
        Assert.Equal(_place["in/a.png"], good.GetProperty("input").GetString());
        Assert.Equal(_place["in/a.mask.png"], good.GetProperty("mask").GetString());
        Assert.Equal(_place["in/a.overlay.png"], good.GetProperty("overlay").GetString());
        Assert.Equal((37, 33), (good.GetProperty("width").GetInt32(), good.GetProperty("height").GetInt32()));
        JsonElement[] classes = [.. good.GetProperty("classes").EnumerateArray()];
        Assert.Equal(33 * 37, classes.Sum(row => row.GetProperty("pixels").GetInt64()));
        Assert.Equal(1, classes.Sum(row => row.GetProperty("share").GetDouble()), 9);
        Assert.All(classes, row => Assert.InRange(row.GetProperty("index").GetInt32(), 0, 4));
        foreach (string stage in new[] { "decode", "preprocess", "network", "encode" })
            Assert.True(good.GetProperty("milliseconds").GetProperty(stage).GetDouble() >= 0);
        Assert.Equal(_place["in/b.png"], bad.GetProperty("input").GetString());
        Assert.Equal(3, bad.GetProperty("exitCode").GetInt32());
        Assert.NotEmpty(bad.GetProperty("error").GetString()!);
    }

    [Fact]
    public void Classes_come_with_names_and_colours()
    {
        _place.AddPhoto("photo.png");
        _place.Add("classes.txt", "nothing #010203\r\npaved road #0A0b0C\nsky\nC# #FFFFFF\nlast\n");
        JsonElement row = Segment(_place["photo.png"], "--classes", _place["classes.txt"], "--json").Exits(0)
            .Json.GetProperty("results")[0].GetProperty("classes")[0];
        string[] names = ["nothing", "paved road", "sky", "C#", "last"];
        Assert.Equal(names[row.GetProperty("index").GetInt32()], row.GetProperty("name").GetString());
        ReadOnlySpan<byte> png = _place.AssertMask("photo.mask.png");
        ReadOnlySpan<byte> palette = png[(png.IndexOf("PLTE"u8) + 4)..];
        Assert.Equal([1, 2, 3, 10, 11, 12], palette[..6].ToArray());
        Assert.Equal([255, 255, 255], palette[9..12].ToArray());

        _place.Add("few.txt", "a\nb\n");
        Segment(_place["photo.png"], "--classes", _place["few.txt"]).Refuses(2, "5 classes");
        _place.Add("gap.txt", "a\n\nb\nc\nd\n");
        Segment(_place["photo.png"], "--classes", _place["gap.txt"]).Refuses(2, "line 2");
    }

    private ToolResult Segment(params string[] arguments) => Tool.Run(["segment", .. arguments, "--model", model.Path]);
}
