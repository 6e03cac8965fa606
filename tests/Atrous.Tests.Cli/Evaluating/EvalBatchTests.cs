using System.Text.Json;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Imaging.Maps;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Evaluating;

/// <summary>Evaluations that are divided, gone on with and added up, and those of maps.</summary>
public sealed class EvalBatchTests(GeneratedModel model) : IDisposable
{
    private const int Height = 33, Width = 37;
    private static readonly string[] Names = ["a", "b", "sub/a", "sub/c d", "z"];
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Parts_add_up_to_the_whole()
    {
        AddPictures();
        JsonElement whole = Eval("--json", "-q").Exits(0).Json;
        Assert.InRange(whole.GetProperty("pixelAccuracy").GetDouble(), 0.5, 0.99);
        for (int part = 0; part < 3; part++)
            Eval("--shard", $"{part}/3", "--jsonl", _place[$"lines/{part}.jsonl"], "-q", "--batch", "2").Exits(0);
        string[] options = [_place["lines"], "-o", _place["all.jsonl"], "--of", _place["images"]];
        JsonElement merged = Tool.Run(["merge", .. options, "--json", "-q"]).Exits(0).Json;
        foreach (string measure in new[]
            { "pictures", "pixels", "ignoredPixels", "meanIou", "pixelAccuracy", "classes", "confusion" })
            Assert.Equal(whole.GetProperty(measure).GetRawText(), merged.GetProperty(measure).GetRawText());
        string table = Tool.Run(["merge", .. options]).Exits(0).Output;
        Assert.Contains("mean IoU", table);
        Assert.Contains("5 pictures, ", table);
        JsonElement line = JsonDocument.Parse(File.ReadAllLines(_place["all.jsonl"])[3]).RootElement;
        Assert.Equal("sub/c d.png", line.GetProperty("name").GetString());
        Assert.Equal(
            Height * Width - 50, line.GetProperty("confusion").GetProperty("counts").EnumerateArray()
                .Sum(count => count[2].GetInt64()));

        // A part that is not there, and one of other options.
        File.Delete(_place["lines/1.jsonl"]);
        Tool.Run(["merge", .. options, "--json"]).Exits(1);
        Eval("--shard", "1/3", "--jsonl", _place["lines/1.jsonl"], "-q", "--flip").Exits(0);
        Assert.Contains("2 different models or options", Tool.Run(["merge", .. options]).Exits(3).Error);
    }

    [Fact]
    public void What_is_scored_already_is_not_scored_again_unless_something_is_another()
    {
        AddPictures();
        string lines = _place["l.jsonl"];
        JsonElement first = Eval("--json", "-q", "--jsonl", lines).Exits(0).Json;
        Assert.Equal(5, Count());
        JsonElement again = Eval("--json", "-q", "--jsonl", lines, "--skip-existing").Exits(0).Json;
        Assert.Equal(first.GetProperty("confusion").GetRawText(), again.GetProperty("confusion").GetRawText());
        Assert.Equal(5, Count());
        _place.Add("images/b.png", Workplace.Photo(31, 20));
        LabelPng.Save(_place["labels/z.png"], new ushort[Height * Width], Height, Width, 5);
        Eval("-q", "--jsonl", lines, "--skip-existing").Exits(0);
        Assert.Equal(7, Count());
        Eval("-q", "--jsonl", lines, "--skip-existing", "--flip").Exits(0);
        Assert.Equal(12, Count());

        int Count() => File.ReadAllLines(lines).Length;
    }

    /// <summary>The line of its old name is of no picture of the data set.</summary>
    [Fact]
    public void A_picture_that_was_renamed_does_not_count_twice()
    {
        AddPictures();
        string lines = _place["l.jsonl"];
        JsonElement whole = Eval("--json", "-q", "--jsonl", lines).Exits(0).Json;
        foreach (string folder in new[] { "images", "labels" })
            File.Move(_place[$"{folder}/z.png"], _place[$"{folder}/y.png"]);
        Eval("-q", "--jsonl", lines, "--skip-existing").Exits(0);
        string[] merge = ["merge", lines, "-o", _place["all.jsonl"], "--json"];
        Tool.Run([.. merge, "-q"]).Refuses(3, "Name the data set with --of");
        ToolResult merged = Tool.Run([.. merge, "--of", _place["images"]]).Exits(0);
        Assert.Contains("z.png", merged.Error);
        Assert.Equal(whole.GetProperty("confusion").GetRawText(), merged.Json.GetProperty("confusion").GetRawText());
        Assert.Equal(5, merged.Json.GetProperty("pictures").GetInt32());
    }

    [Fact]
    public void A_bad_picture_has_its_line_and_there_is_no_score()
    {
        AddPictures();
        _place.Add("images/b.png", "no picture");
        string lines = _place["l.jsonl"];
        ToolResult result = Eval("-q", "--jsonl", lines, "--retries", "2", "--batch", "3").Exits(3);
        Assert.Empty(result.Output);
        Assert.Contains("4 of 5 pictures are scored, 1 failed", result.Error);
        Assert.Equal(Names.Length, File.ReadAllLines(lines).Length);
        Assert.Single(File.ReadAllLines(lines), line => line.Contains("\"error\"") && line.Contains("\"b.png\""));
        Tool.Run("merge", lines, "-o", _place["all.jsonl"], "-q").Exits(3);
        _place.AddPhoto("images/b.png");
        Eval("-q", "--jsonl", lines, "--skip-existing").Exits(0);
        Assert.Equal(Names.Length + 1, File.ReadAllLines(lines).Length);
        Tool.Run("merge", lines, "-o", _place["all.jsonl"], "-q").Exits(0);
    }

    [Fact]
    public void A_picture_that_cannot_be_read_now_is_scored_later()
    {
        AddPictures();
        System.Diagnostics.Process process;
        using (new FileStream(_place["images/b.png"], FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Eval("-q").Exits(1);
            process = Tool.Start(_place.Folder, [.. Line(), "--retries", "6", "-q"]);
            Thread.Sleep(1500);
        }
        Tool.Finish(process, []).Exits(0);
    }

    [Theory]
    [InlineData("--skip-existing", "--jsonl")]
    [InlineData("--jsonl l.jsonl --boundaries", "--boundaries")]
    [InlineData("--jsonl l.jsonl --against x.pth", "--against")]
    [InlineData("--shard 3/3", "the last of 3 is 2/3")]
    public void What_does_not_go_together_is_refused(string options, string words)
    {
        AddPictures();
        Eval([.. options.Split(' '), "-q"]).Refuses(2, words);
    }

    /// <summary>Bands in another order, of more than 8 bits, and a corner without data, which is not scored.</summary>
    [Fact]
    public void Maps_are_scored_as_they_are_segmented()
    {
        const int Bands = 4, Missing = 24;
        string path = _place["four.safetensors"];
        BandModel.Write(path, Bands);
        Directory.CreateDirectory(_place["images"]);
        Directory.CreateDirectory(_place["labels"]);
        float[] samples =
        [
            .. Enumerable.Range(0, Height * Width * Bands).Select(
                i => (float)(1 + (i * 7 % 251 + i / 97) % 250) * 10),
        ];
        for (int y = 0; y < 3; y++)
            Array.Clear(samples, y * Width * Bands, 8 * Bands);
        new GeoTiffFile { Height = Height, Width = Width, Bands = Bands, Sample = typeof(short), NoData = "0" }
            .Write(_place["images/a.tif"], samples);
        string[] bands = ["--bands", "4,1,2,3", "--white", "2550"];
        Tool.Run(["segment", _place["images/a.tif"], "-m", path, "-o", _place["mask.tif"], "-q", .. bands]).Exits(0);
        LabelImage mask = LabelImage.Load(_place["mask.tif"]);
        // Something stands in the corner as well.
        ushort[] labels = [.. mask.Labels.ToArray().Select(label => label == 255 ? (ushort)3 : label)];
        LabelPng.Save(_place["labels/a.png"], labels, Height, Width, 5);
        string[] eval = ["eval", path, "--images", _place["images"], "--labels", _place["labels"], "--json", "-q"];
        JsonElement score = Tool.Run([.. eval, .. bands]).Exits(0).Json;
        Assert.Equal(1, score.GetProperty("pixelAccuracy").GetDouble());
        Assert.Equal(Missing, score.GetProperty("ignoredPixels").GetInt64());
        Tool.Run(eval).Refuses(3, "--white");
        JsonElement other = Tool.Run([.. eval, "--white", "2550"]).Exits(0).Json;
        Assert.True(other.GetProperty("pixelAccuracy").GetDouble() < 1);
    }

    private string[] Line() => ["eval", model.Path, "--images", _place["images"], "--labels", _place["labels"]];

    private ToolResult Eval(params string[] options) => Tool.RunIn(_place.Folder, [.. Line(), .. options]);

    /// <summary>Photos, and what the model makes of them as their truth, some of it changed or not scored.</summary>
    private void AddPictures()
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        foreach (string name in Names)
        {
            _place.AddPhoto($"images/{name}.png");
            using Image photo = Image.Load(_place[$"images/{name}.png"]);
            ushort[] labels = segmenter.Segment(photo).Labels.ToArray();
            labels.AsSpan(0, 50).Fill(255);
            for (int i = 50; i < 50 + 10 * name.Length; i++)
                labels[i] = (ushort)((labels[i] + 1) % 5);
            Directory.CreateDirectory(Path.GetDirectoryName(_place[$"labels/{name}.png"])!);
            LabelPng.Save(_place[$"labels/{name}.png"], labels, Height, Width, 256);
        }
    }
}
