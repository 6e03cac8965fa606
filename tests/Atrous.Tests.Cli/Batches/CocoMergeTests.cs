using System.Text.Json;
using Atrous.Cli.Merging;
using Atrous.Tests.Cli.Formats;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Batches;

/// <summary>COCO by parts: a file for each part, and `atrous merge`, which makes one of them.</summary>
public sealed class CocoMergeTests(GeneratedModel model) : IDisposable
{
    private static readonly string[] Names = ["a.png", "b.png", "sub/a.png", "sub/c d.png", "z.png"];
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Files_of_parts_become_the_file_of_a_whole_run()
    {
        for (int i = 0; i < Names.Length; i++)
            _place.Add($"in/{Names[i]}", Workplace.Photo(20 + i, 31));
        Segment("whole").Exits(0);
        // More parts than pictures: some have none, and a file all the same.
        const int Parts = 7;
        string[] files =
            [.. Enumerable.Range(0, Parts).Select(part => _place[$"out/annotations.coco.{part}-of-7.json"])];
        for (int part = 0; part < Parts; part++)
            Segment("out", "--shard", $"{part}/{Parts}").Exits(0);
        Assert.All(files, file => Assert.True(File.Exists(file)));
        Assert.Contains(files, file => Lists(file).Images.Length == 0);
        ToolResult early = Merge(files[1..]).Exits(1);
        Assert.Contains("there is no file of the part 0/7", early.Error);
        File.Delete(_place["all.json"]);

        ToolResult merged = Merge([.. files.Reverse()]).Exits(0);
        (JsonElement[] images, JsonElement[] annotations, string categories) = Lists(_place["all.json"]);
        Assert.Contains($"5 pictures with {annotations.Length} annotations in ", merged.Error);
        (JsonElement[] expectedImages, JsonElement[] expected, string expectedCategories) =
            Lists(_place["whole/annotations.coco.json"]);
        Assert.Equal(expectedCategories, categories);
        Assert.Equal(Enumerable.Range(1, 5), images.Select(image => image.GetProperty("id").GetInt32()));
        Assert.Equal(
            Enumerable.Range(1, annotations.Length), annotations.Select(entry => entry.GetProperty("id").GetInt32()));
        Assert.Equal(
            Texts(expectedImages, expected).Order(StringComparer.Ordinal),
            Texts(images, annotations).Order(StringComparer.Ordinal));
        Assert.False(WrittenShapes.Json(_place["all.json"]).GetProperty("info").TryGetProperty("shard", out _));
    }

    [Fact]
    public void A_picture_that_failed_is_missed()
    {
        _place.AddPhoto("in/a.png");
        _place.Add("in/b.png", "no picture");
        Segment("out", "--shard", "0/1").Exits(3);
        Assert.Contains(
            "1 picture is in no file, because it failed",
            Merge(_place["out/annotations.coco.0-of-1.json"]).Exits(1).Error);
    }

    [Fact]
    public void What_does_not_belong_together_is_refused()
    {
        _place.AddPhoto("in/a.png");
        Segment("out").Exits(0);
        string file = _place["out/annotations.coco.json"], text = File.ReadAllText(file);
        Merge(file, _place.Add("b.json", text)).Refuses(3, "a.png is in ", "share no picture");
        Merge(file, _place.Add("c.json", text.Replace("\"class 1\"", "\"road\""))).Refuses(3, "other categories");
        string part = text.Replace("\"version\":\"1.0\"", "\"version\":\"1.0\",\"shard\":\"0/2\",\"pictures\":2");
        string other = part.Replace("a.png", "b.png");
        Merge(_place.Add("d.json", part), _place.Add("e.json", other)).Refuses(3, "both of the part 0/2");
        Merge(_place["d.json"], _place.Add("f.json", other.Replace("0/2", "1/3"))).Refuses(3, "2 and 3 parts");
        Merge(_place.Add("g.json", text[..^9])).Refuses(3, "g.json", "no COCO file");
        Merge(_place.Add("h.json", "[]")).Refuses(3, "h.json", "no COCO file");
        Merge(_place.Add("i.json", "{\"images\":[{}]}")).Refuses(3, "i.json", "no COCO file");
        Merge(_place["none.json"]).Refuses(3, "there is no such file");
        Merge(file, _place.Add("lines.jsonl", "")).Refuses(2, "joined by themselves");
        Tool.Run("merge", file, "-q", "-o", file).Refuses(2, "among the files that are joined");
        Tool.Run("merge", file, "-q", "--of", _place["in"]).Refuses(2, "--of is about lines");
        Assert.False(File.Exists(_place["all.json"]));
    }

    /// <summary>Members and elements come whole, wherever the file is cut into pieces.</summary>
    [Fact]
    public void Lists_longer_than_what_is_read_at_a_time_are_read()
    {
        string filler = new('x', 70_000);
        IEnumerable<string> images = Enumerable.Range(0, 4000)
            .Select(i => $"{{\"id\": {i}, \"s\": \"{(i == 7 ? filler : "")}\"}}");
        string list = string.Join(", ", images);
        string text = $"{{\"info\": {{\"a\": [1, 2]}}, \"n\": 3, \"images\": [{list}], \"end\": []}}";
        var lists = new JsonLists(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)));
        var found = new List<string>();
        while (lists.Next() is var (name, value))
        {
            JsonElement first = value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().First().Value : value;
            found.Add($"{name} {first}");
        }
        Assert.Equal(
            ["info [1, 2]", "n 3", .. Enumerable.Range(0, 4000).Select(i => $"images {i}")], found);
    }

    private ToolResult Segment(string folder, params string[] options) => Tool.RunIn(
        _place.Folder, ["segment", "in", "-o", folder, "--model", model.Path, "--format", "coco", .. options]);

    private ToolResult Merge(params string[] files) =>
        Tool.Run(["merge", .. files, "-o", _place["all.json"]]);

    private static (JsonElement[] Images, JsonElement[] Annotations, string Categories) Lists(string path)
    {
        JsonElement file = WrittenShapes.Json(path);
        return (
            [.. file.GetProperty("images").EnumerateArray()], [.. file.GetProperty("annotations").EnumerateArray()],
            file.GetProperty("categories").GetRawText());
    }

    /// <summary>Annotations with their pictures' names in place of numbers.</summary>
    private static IEnumerable<string> Texts(JsonElement[] images, JsonElement[] annotations) =>
        annotations.Select(entry => string.Join(' ', entry.EnumerateObject().Where(member => member.Name != "id")
            .Select(member => member.Name == "image_id"
                ? images[member.Value.GetInt32() - 1].GetRawText()[8..]
                : member.Value.GetRawText())));
}
