using System.Text.Json;
using Atrous.Tests.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>`atrous segment` of folders and files as people have them.</summary>
public sealed class SegmentFolderTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void What_a_folder_holds_and_is_not_read_is_counted_and_named()
    {
        _place.AddPhoto("in/a.png");
        _place.Add("in/b.heic", "not read");
        _place.Add("in/sub/c.PSD", "not read");
        _place.Add("in/notes.txt", "no picture");
        _place.Add("in/.hidden.heic", "hidden");
        _place.AddPhoto("elsewhere/d.png");
        Directory.CreateSymbolicLink(_place["in/night"], _place["elsewhere"]);
        File.CreateSymbolicLink(_place["in/gone"], _place["nowhere"]);
        ToolResult result = Segment("in", "--json").Exits(0);
        string line = Assert.Single(result.ErrorLines, line => line.Contains("left out"));
        foreach (string named in new[] { "4 entries", "b.heic", "c.PSD", "night (a linked folder)" })
            Assert.Contains(named, line);
        Assert.Contains("gone (a broken link)", line);
        IEnumerable<string> leftOut = result.Json.GetProperty("leftOut").EnumerateArray()
            .Select(path => Path.GetFileName(path.GetString()!));
        Assert.Equal(["b.heic", "gone", "night", "c.PSD"], leftOut);
        Assert.Equal(1, result.Json.GetProperty("segmented").GetInt32());

        // A folder of nothing else has nothing to do, and says why.
        File.Delete(_place["in/a.png"]);
        Segment("in", "-q").Refuses(3, "the folder has no .jpg", "4 entries are left out");
    }

    [Fact]
    public void A_link_to_no_file_with_a_picture_s_name_is_a_picture_that_fails()
    {
        _place.AddPhoto("in/a.png");
        File.CreateSymbolicLink(_place["in/b.png"], _place["nowhere.png"]);
        Segment("in", "-q").Refuses(3, "b.png", "no such file");
    }

    [Theory]
    [InlineData("jfif")]
    [InlineData("jpe")]
    [InlineData("JFIF")]
    public void Other_names_of_jpeg_are_read(string extension)
    {
        _place.Add($"in/a.{extension}", ImageFixtures.BytesOf("rgb420.jpg"));
        Segment("in", "--json").Exits(0);
        Assert.True(File.Exists(_place["in/a.mask.png"]));
    }

    [Fact]
    public void A_file_that_lacks_its_end_alone_is_segmented_with_a_warning()
    {
        byte[] whole = ImageFixtures.BytesOf("rgb8.png");
        _place.Add("in/a.png", whole[..^12]);
        ToolResult result = Segment("in", "--json").Exits(0);
        Assert.Contains("stops before its end mark", result.Error);
        JsonElement picture = Assert.Single(result.Json.GetProperty("results").EnumerateArray());
        Assert.Contains("stops before its end mark", picture.GetProperty("warning").GetString());
        _place.Add("in/a.png", whole[..^13]);
        Segment("in", "-q").Refuses(3, "a.png", "ends early");
    }

    [Fact]
    public void The_limit_of_pixels_can_be_set()
    {
        _place.Add("in/a.png", HugePng.Bytes(2000, 1000));
        Segment("in", "-q", "--max-pixels", "1").Refuses(3, "2000 x 1000", "limit of 1000000", "--max-pixels");
        _place.Add("in/a.png", HugePng.Bytes(20000, 20000));
        Segment("in", "-q").Refuses(3, "20000 x 20000", "limit of 268435456", "--max-pixels");
        Segment("in", "-q", "--max-pixels", "0").Refuses(2, "--max-pixels takes");
        // In windows it is read in bands, of which the first is not there.
        Segment("in", "-q", "--tile", "64").Refuses(3, "a.png", "Not enough image data");
        Segment("in", "-q", "--tile", "64", "--overlay").Refuses(3, "20000 x 20000", "too many for --overlay");
        Segment("in", "-q", "--tile", "64", "-o", _place["out"], "--format", "coco,geojson")
            .Refuses(3, "too many for --format coco", "leave out --format coco");
        Segment("in", "-q", "--tile", "64", "--format", "geojson", "--simplify", "2")
            .Refuses(3, "too many for --simplify");
        Segment("in", "-q", "--tile", "64", "--format", "geojson").Refuses(3, "a.png", "Not enough image data");
        _place.Add("in/a.png", HugePng.Bytes(90000, 90000));
        Segment("in", "-q", "--tile", "64").Refuses(3, "90000 x 90000", "limit of 4294967296");
        Segment("in", "-q", "--tile", "64", "--max-pixels", "300").Refuses(3, "limit of 300000000");
    }

    private ToolResult Segment(string folder, params string[] options) =>
        Tool.Run(["segment", _place[folder], "--model", model.Path, .. options]);
}
