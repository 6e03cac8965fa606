using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Batches;

/// <summary>Runs over many pictures that are divided, killed, and gone on with.</summary>
public sealed class BatchTests(GeneratedModel model) : IDisposable
{
    private static readonly string[] Names = ["a.png", "b.png", "sub/a.png", "sub/c d.png", "sub/deep/e.png", "z.png"];
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Parts_do_every_picture_once_and_merge_tells_what_is_missing()
    {
        AddPictures();
        for (int part = 0; part < 2; part++)
            Segment("--shard", $"{part}/3", "--jsonl", _place[$"lines/{part}.jsonl"]).Exits(0);
        string[] done = Masks();
        ToolResult early = Merge("--of", _place["in"], "--missing", _place["again.txt"]).Exits(1);
        string[] missing = File.ReadAllLines(_place["again.txt"]);
        Assert.NotEmpty(missing);
        Assert.Equal(Names.Length, done.Length + missing.Length);
        Assert.Contains($"{done.Length} of 6 pictures are done, 0 failed, {missing.Length} ha", early.Error);
        Assert.Contains(missing[0], early.Error);
        Assert.EndsWith($"names of pictures to do again in {_place["again.txt"]}", early.ErrorLines[^1]);
        Assert.EndsWith(
            $" lines in {_place["all.jsonl"]}", Merge("-o", _place["all.jsonl"]).Exits(1).ErrorLines[^1]);
        Assert.Empty(Merge("-o", _place["all.jsonl"], "-q").Exits(1).Error);
        File.Delete(_place["all.jsonl"]);
        Merge().Exits(1); // the lines themselves say that there are six
        Assert.Contains("there is no line of the part 2/3", Merge().Error);

        Segment("--list", _place["again.txt"], "--jsonl", _place["lines/2.jsonl"]).Exits(0);
        Assert.Equal(Names.Select(Mask), Masks());
        string[] lines = Merge("--of", _place["in"]).Exits(0).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Names, lines.Select(line => Property(line, "name")));
        JsonElement line = JsonDocument.Parse(lines[3]).RootElement;
        Assert.Equal(_place["in/sub/c d.png"], line.GetProperty("input").GetString());
        Assert.Equal(_place["out/sub/c d.mask.png"], line.GetProperty("mask").GetString());
        Assert.Equal(64, line.GetProperty("sha256").GetString()!.Length);
        Assert.Equal(33 * 37, line.GetProperty("classes").EnumerateArray().Sum(c => c.GetProperty("pixels").GetInt64()));
        Assert.True(line.GetProperty("milliseconds").GetProperty("network").GetDouble() > 0);
        Assert.Equal(1, line.GetProperty("attempts").GetInt32());
    }

    [Fact]
    public void A_mask_that_is_there_is_left_as_it_is_and_any_other_is_made_again()
    {
        AddPictures();
        string[] options = ["--jsonl", _place["all.jsonl"], "--overlay"];
        Segment(options).Exits(0);
        byte[] before = File.ReadAllBytes(_place["out/a.mask.png"]);
        Assert.Equal(6, File.ReadAllLines(_place["all.jsonl"]).Length);
        Assert.Empty(Redone([.. options, "--skip-existing"]));
        Assert.Equal(6, File.ReadAllLines(_place["all.jsonl"]).Length);
        // Without the file of lines they are told anew, from the masks.
        string first = File.ReadAllLines(_place["all.jsonl"])[0];
        File.Delete(_place["all.jsonl"]);
        Assert.Empty(Redone([.. options, "--skip-existing"]));
        string[] told = File.ReadAllLines(_place["all.jsonl"]);
        Assert.Equal(6, told.Length);
        Assert.Equal(Property(first, "classes"), Property(told[0], "classes"));
        Assert.Equal(Property(first, "sha256"), Property(told[0], "sha256"));

        // Another picture, half a mask, a mask with another pixel, one of a run that says nothing, no overlay.
        _place.Add("in/a.png", Workplace.Photo(31, 20));
        byte[] mask = File.ReadAllBytes(_place["out/b.mask.png"]);
        _place.Add("out/b.mask.png", mask[..^20]);
        mask[mask.AsSpan().IndexOf("IDAT"u8) + 8] ^= 1;
        _place.Add("out/sub/a.mask.png", mask);
        File.Delete(_place["out/sub/c d.overlay.png"]);
        using (Image photo = Image.Load(_place["in/z.png"]))
            photo.SavePng(_place["out/sub/deep/e.overlay.png"]);
        Assert.Equal(Names[..5], Redone([.. options, "--skip-existing"]));
        Assert.Empty(Redone([.. options, "--skip-existing"]));
        Assert.Equal(11, File.ReadAllLines(_place["all.jsonl"]).Length);

        // An output that the run before had not.
        Segment("--format", "geojson", "--skip-existing").Exits(0);
        Assert.Equal(Names, Redone("--format", "geojson", "--overlay", "--skip-existing"));

        // Other options, another model: nothing is there. Pictures that are the same have the same masks again.
        Assert.Equal(Names, Redone("--skip-existing", "--overlay", "--opacity", "0.3"));
        _place.Add("in/a.png", Workplace.Photo());
        Segment(options).Exits(0);
        Assert.Equal(before, File.ReadAllBytes(_place["out/a.mask.png"]));
    }

    [Fact]
    public void A_mask_says_what_it_is_made_of_only_where_a_run_asks_for_it()
    {
        AddPictures();
        Segment().Exits(0);
        byte[] plain = File.ReadAllBytes(_place["out/a.mask.png"]);
        Assert.True(plain.AsSpan().IndexOf("tEXt"u8) < 0);
        Assert.Equal(Names, Redone("--skip-existing", "--in-flight", "1"));
        byte[] marked = File.ReadAllBytes(_place["out/a.mask.png"]);
        Assert.Equal(plain[..^12], marked[..(plain.Length - 12)]);
        Assert.True(marked.AsSpan().IndexOf("tEXtAtrous\0{\"version\":1"u8) > 0);
        Segment("--in-flight", "5", "--jsonl", _place["l.jsonl"]).Exits(0);
        Assert.Equal(marked, File.ReadAllBytes(_place["out/a.mask.png"]));
    }

    [Fact]
    public void A_killed_run_leaves_whole_masks_and_lines_and_the_next_one_goes_on()
    {
        const int Pictures = 40;
        byte[] photo = Workplace.Photo(129, 161);
        for (int i = 0; i < Pictures; i++)
            _place.Add($"in/{i:00}.png", photo);
        string[] run = ["segment", _place["in"], "--model", model.Path, "-o", _place["out"], "--skip-existing", "--jsonl",
            _place["all.jsonl"], "-q"];
        using (Process process = Tool.Start(_place.Folder, run))
        {
            for (long start = Stopwatch.GetTimestamp(); !File.Exists(_place["out/03.mask.png"]); Thread.Sleep(5))
                Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2), "no mask was written");
            process.Kill();
            process.WaitForExit();
        }
        int before = Masks().Length;
        Assert.InRange(before, 4, Pictures - 1);
        // As of a machine that lost its power.
        File.AppendAllText(_place["all.jsonl"], """{"name":"39.png","input":"in/""");
        Tool.RunIn(_place.Folder, run).Exits(0);
        Assert.Equal(Pictures, Masks().Length);
        Assert.All(Masks(), mask => _place.AssertMask(mask, 129, 161));
        string[] lines = File.ReadAllLines(_place["all.jsonl"]);
        Assert.Equal(
            Enumerable.Range(0, Pictures).Select(i => $"{i:00}.png"),
            lines.Select(line => Property(line, "name")).Order(StringComparer.Ordinal));
        Assert.InRange(lines.Count(line => line.Contains("\"attempts\"")), Pictures - before, Pictures);
        Assert.DoesNotContain(_place.Files, file => Path.GetFileName(file).StartsWith('.'));
        Tool.Run("merge", _place["all.jsonl"], "--of", _place["in"], "-q").Exits(0);
    }

    [Fact]
    public void What_may_pass_is_tried_again()
    {
        _place.AddPhoto("in/a.png");
        Directory.CreateDirectory(_place["out/a.mask.png/in the way"]);
        Segment("--retries", "1", "--jsonl", _place["l.jsonl"], "-q").Refuses(1, "this is a folder");
        JsonElement failed = JsonDocument.Parse(File.ReadAllText(_place["l.jsonl"])).RootElement;
        Assert.Equal((1, 2), (failed.GetProperty("exitCode").GetInt32(), failed.GetProperty("attempts").GetInt32()));
        Tool.Run("merge", _place["l.jsonl"], "-q").Exits(1);

        Process process = Tool.Start(_place.Folder, [.. Line(), "--retries", "6", "--jsonl", _place["l.jsonl"], "-q"]);
        Thread.Sleep(500);
        Directory.Delete(_place["out/a.mask.png"], recursive: true);
        Tool.Finish(process, []).Exits(0);
        Assert.Equal(2, File.ReadAllLines(_place["l.jsonl"]).Length);
        Tool.Run("merge", _place["l.jsonl"], "-q").Exits(0);
    }

    /// <summary>Another process that holds a file is trouble of that kind which a test can make.</summary>
    [Theory]
    [InlineData("a.png")]
    [InlineData("a.tif")]
    public void A_picture_that_cannot_be_read_now_is_read_later(string name)
    {
        _place.AddPhoto("in/b.png");
        _place.AddPhoto($"in/{name}");
        string[] again = ["--retries", "6", "--jsonl", _place["l.jsonl"], "-q"];
        Process process;
        using (new FileStream(_place[$"in/{name}"], FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Segment("--jsonl", _place["l.jsonl"], "-q").Refuses(1, name);
            Assert.Equal([Mask("b.png")], Masks());
            Tool.Run("merge", _place["l.jsonl"], "--of", _place["in"], "--missing", _place["m.txt"], "-q").Exits(1);
            Assert.Equal([name], File.ReadAllLines(_place["m.txt"]));
            process = Tool.Start(_place.Folder, [.. Line(), .. again]);
            Thread.Sleep(1500);
        }
        // What a TIFF is decides where its mask goes, so that it is not tried again by the same run.
        Tool.Finish(process, []).Exits(name == "a.png" ? 0 : 1);
        if (name != "a.png")
            Segment(["--list", _place["m.txt"], .. again]).Exits(0);
        Assert.Equal([Mask("a.png"), Mask("b.png")], Masks());
        Tool.Run("merge", _place["l.jsonl"], "--of", _place["in"], "-q").Exits(0);
    }

    [Fact]
    public void A_bad_picture_has_its_line_and_is_not_tried_again()
    {
        AddPictures();
        _place.Add("in/b.png", "no picture");
        Segment("--retries", "3", "--jsonl", _place["l.jsonl"], "-q").Exits(3);
        string line = Assert.Single(File.ReadAllLines(_place["l.jsonl"]), line => line.Contains("\"error\""));
        Assert.Equal("b.png", Property(line, "name"));
        Assert.Equal("1", Property(line, "attempts"));
        ToolResult merged = Tool.Run("merge", _place["l.jsonl"], "--of", _place["in"]).Exits(3);
        Assert.Contains("failed: b.png", merged.Error);
    }

    [Fact]
    public void A_list_names_pictures_below_a_folder_or_from_here()
    {
        AddPictures();
        _place.Add("list.txt", "sub/a.png\r\n\n./z.png\nsub/a.png\n");
        Segment("--list", _place["list.txt"]).Exits(0);
        Assert.Equal(["out/sub/a.mask.png", "out/z.mask.png"], Masks());
        _place.Add("list.txt", "in/b.png\n");
        Tool.RunIn(_place.Folder, "segment", "--list", "list.txt", "--model", model.Path, "-o", "here", "-q").Exits(0);
        Assert.True(File.Exists(_place["here/in/b.mask.png"]));

        _place.Add("list.txt", "b.png\nnone.png\n../in/a.png\n../list.txt\n");
        ToolResult result = Segment("--list", _place["list.txt"], "-q", "--jsonl", _place["l.jsonl"]).Exits(3);
        Assert.Equal(2, result.ErrorLines.Length);
        Assert.Contains("none.png", result.ErrorLines[0]);
        Assert.Contains("line 2 of", result.ErrorLines[0]);
        Assert.Contains("line 4 of", result.ErrorLines[1]);
        Assert.Equal(4, File.ReadAllLines(_place["l.jsonl"]).Length);
        _place.Add("list.txt", "\n\n");
        Segment("--list", _place["list.txt"]).Refuses(3, "names no picture");
    }

    [Fact]
    public void A_part_without_pictures_is_done()
    {
        _place.AddPhoto("in/a.png");
        int[] empty = [.. Enumerable.Range(0, 3).Where(part => Segment("--shard", $"{part}/3", "-q").Exits(0) is not null
            && Masks().Length == 0)];
        Assert.Equal([0, 1], empty);
        Assert.Single(Masks());
    }

    [Fact]
    public void A_file_of_lines_is_one_run_s_and_nothing_else()
    {
        _place.AddPhoto("in/a.png");
        string lines = _place.Add("notes.jsonl", "my notes\n");
        Segment("--jsonl", lines).Refuses(2, "line 1", "name another file");
        Assert.Equal("my notes\n", File.ReadAllText(lines));
        Segment("--jsonl", _place["in/a.png"]).Refuses(2, "belongs to a picture");
        using (new FileStream(_place["held.jsonl"], FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Segment("--jsonl", _place["held.jsonl"]).Refuses(1, "each task needs its own --jsonl");
        Assert.Empty(Masks());
    }

    [Fact]
    public void Masks_of_different_options_are_no_one_result()
    {
        AddPictures();
        Segment("--shard", "0/2", "--jsonl", _place["lines/0.jsonl"]).Exits(0);
        Segment("--shard", "1/2", "--jsonl", _place["lines/1.jsonl"], "--flip").Exits(0);
        Assert.Contains("2 different models or options", Merge("--of", _place["in"]).Exits(3).Error);
    }

    [Theory]
    [InlineData("--shard 8/8", "the last of 8 is 7/8")]
    [InlineData("--shard 3", "--shard takes I/N")]
    [InlineData("--shard -1/4", "--shard takes I/N")]
    [InlineData("--in-flight 0", "--in-flight takes a number from 1")]
    [InlineData("--shard 0/2 --format cvat", "a run with --shard has only some of them")]
    [InlineData("--skip-existing --format coco", "a run with --skip-existing has only some of them")]
    [InlineData("--list l.txt b", "give one folder")]
    public void What_does_not_go_together_is_refused(string options, string words)
    {
        _place.AddPhoto("in/a.png");
        Segment([.. options.Split(' '), "-q"]).Refuses(2, words);
        Assert.Empty(Masks());
    }

    [Fact]
    public void Standard_streams_have_no_lines()
    {
        Tool.Pipe(Workplace.Photo(), "segment", "-", "--model", model.Path, "--jsonl", _place["l.jsonl"], "-o",
            _place["m.png"]).Refuses(2, "are about files");
        Tool.Run("segment", "--model", model.Path).Refuses(2, "INPUT is missing");
        Tool.Run("merge", _place["none.jsonl"]).Refuses(3, "there is no such file");
        Tool.Run("merge", _place.Add("x.jsonl", "{}\n")).Refuses(2, "line 1");
        Tool.Run("merge", _place.Add("y.jsonl", "{\"name\":null,\"run\":null,\"sha256\":null,\"pictures\":1}\n"))
            .Refuses(2, "line 1");
        Tool.Run("merge", _place["x.jsonl"], "-o", _place["x.jsonl"]).Refuses(2, "is among the files");
        Tool.Run("merge", _place["x.jsonl"], "--missing", _place["m.txt"]).Refuses(2, "--of");
    }

    private void AddPictures()
    {
        foreach (string name in Names)
            _place.AddPhoto($"in/{name}");
    }

    private string[] Line() => ["segment", _place["in"], "--model", model.Path, "-o", _place["out"]];

    private ToolResult Segment(params string[] options) => Tool.Run([.. Line(), .. options]);

    private ToolResult Merge(params string[] options) => Tool.Run(["merge", _place["lines"], .. options]);

    /// <summary>The pictures that a run does not leave as they are.</summary>
    private string[] Redone(params string[] options) =>
    [
        .. Segment([.. options, "--json"]).Exits(0).Json.GetProperty("results").EnumerateArray()
            .Where(result => !result.TryGetProperty("skipped", out _))
            .Select(result => Path.GetRelativePath(_place["in"], result.GetProperty("input").GetString()!)),
    ];

    private string[] Masks() => [.. _place.Files.Where(file => file.StartsWith("out/") && file.EndsWith(".mask.png"))];

    private static string Mask(string name) => $"out/{name[..^4]}.mask.png";

    private static string Property(string line, string name) =>
        JsonDocument.Parse(Encoding.UTF8.GetBytes(line)).RootElement.GetProperty(name).ToString();
}
