using System.Text.Json;
using Atrous.Catalog;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Evaluating;

/// <summary>`atrous eval`: the score of masks that are known, and data that cannot be scored.</summary>
public sealed class EvalTests(GeneratedModel model) : IDisposable
{
    private const int Height = 33, Width = 37, Ignored = 255;
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void The_model_s_own_masks_score_one()
    {
        AddPictures("a", "sub/b", "c");
        JsonElement json = Eval("--json", "--batch", "2").Exits(0).Json;
        foreach (string measure in new[] { "meanIou", "pixelAccuracy", "meanAccuracy", "frequencyWeightedIou" })
            Assert.Equal(1, json.GetProperty(measure).GetDouble());
        Assert.Equal(3, json.GetProperty("pictures").GetInt32());
        Assert.Equal(3 * Height * Width, json.GetProperty("pixels").GetInt64());
        Assert.Equal(0, json.GetProperty("ignoredPixels").GetInt64());
        Assert.Equal("DeepLabV3+", json.GetProperty("model").GetProperty("architecture").GetString());
        JsonElement[] classes = [.. json.GetProperty("classes").EnumerateArray()];
        Assert.Equal(5, classes.Length);
        Assert.Contains(classes, row => row.GetProperty("truePixels").GetInt64() > 0);
        Assert.All(classes, row => Assert.Equal(
            row.GetProperty("truePixels").GetInt64() == 0, row.GetProperty("iou").ValueKind == JsonValueKind.Null));
    }

    [Fact]
    public void Label_maps_of_0_and_255_score_a_network_of_one_class_by_its_foreground()
    {
        string folder = Shared.Require("cases/02-one-class-eval"), one = Shared.Require("cases/01-one-class-mask");
        string[] arguments =
            ["eval", $"{one}/smp_c1.pth", "--images", $"{folder}/i", "--labels", $"{folder}/l", "--json"];
        JsonElement json = Tool.Run(arguments).Exits(0).Json;
        Assert.Equal(0, json.GetProperty("ignoredPixels").GetInt64());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("ignore").ValueKind);
        JsonElement foreground = json.GetProperty("classes")[1];
        Assert.Equal("foreground", foreground.GetProperty("name").GetString());
        Assert.True(foreground.GetProperty("truePixels").GetInt64() > 0);
        Assert.InRange(json.GetProperty("meanIou").GetDouble(), 0, 0.9);
        // Who says that 255 is not scored has it so.
        JsonElement asked = Tool.Run([.. arguments, "--ignore", "255"]).Exits(0).Json;
        Assert.True(asked.GetProperty("ignoredPixels").GetInt64() > 0);
    }

    /// <summary>There 255 may be the second class or what is not scored: half of a score would be none.</summary>
    [Fact]
    public void Label_maps_of_0_and_255_for_two_classes_are_asked_about()
    {
        string folder = Shared.Require("cases/02-one-class-eval"), two = _place["two.safetensors"];
        GeneratedModel.Write(Golden.Load("smp_deeplabv3plus_tu-mobilenetv3_small_050_os16_48x64"), two);
        string[] arguments = ["eval", two, "--images", $"{folder}/i", "--labels", $"{folder}/l", "--json"];
        Tool.Run([.. arguments, "--quiet"]).Refuses(3, "255 may be the second class or what is not scored");
        JsonElement ignored = Tool.Run([.. arguments, "--ignore", "255"]).Exits(0).Json;
        Assert.True(ignored.GetProperty("ignoredPixels").GetInt64() > 0);
        File.WriteAllText(_place["map.txt"], "0 0\n255 1\n");
        JsonElement scored = Tool.Run([.. arguments, "--map", _place["map.txt"]]).Exits(0).Json;
        Assert.Equal(0, scored.GetProperty("ignoredPixels").GetInt64());
        Assert.True(scored.GetProperty("classes")[1].GetProperty("truePixels").GetInt64() > 0);
    }

    [Fact]
    public void Wrong_and_ignored_pixels_are_counted_as_such()
    {
        AddPictures("a");
        ushort[] labels = LabelImage.Load(_place["labels/a.png"]).Labels.ToArray();
        int wrong = labels[0] == 0 ? 1 : 0;
        labels.AsSpan(0, 100).Fill((ushort)wrong);
        int right = labels.AsSpan(0, 100).Length - Changed(labels);
        labels.AsSpan(100, 50).Fill(Ignored);
        LabelPng.Save(_place["labels/a.png"], labels, Height, Width, 256);
        JsonElement json = Eval("--json").Exits(0).Json;
        Assert.Equal(50, json.GetProperty("ignoredPixels").GetInt64());
        double expected = (Height * Width - 150 + right) / (double)(Height * Width - 50);
        Assert.Equal(expected, json.GetProperty("pixelAccuracy").GetDouble(), 1e-12);
        long counted = json.GetProperty("confusion").EnumerateArray().SelectMany(row => row.EnumerateArray())
            .Sum(cell => cell.GetInt64());
        Assert.Equal(Height * Width - 50, counted);

        int Changed(ushort[] now)
        {
            ushort[] before = LabelImage.Load(_place["labels/a.png"]).Labels.ToArray();
            return Enumerable.Range(0, 100).Count(i => before[i] != now[i]);
        }
    }

    [Fact]
    public void Another_model_is_compared_on_the_same_pictures()
    {
        AddPictures("a", "sub/b");
        JsonElement same = Eval("--json", "--boundaries", "--against", model.Path).Exits(0).Json;
        Assert.Equal(1, same.GetProperty("meanBoundaryIou").GetDouble());
        Assert.Equal(1, same.GetProperty("meanBoundaryF1").GetDouble());
        JsonElement against = same.GetProperty("against");
        Assert.Equal(1, against.GetProperty("meanIou").GetDouble());
        Assert.Equal(1, against.GetProperty("agreement").GetDouble());
        // Statistics of another data set make another mask of the same weights.
        JsonElement other = Eval("--json", "--mean", "0.1,0.2,0.3", "--against", model.Path).Exits(0).Json;
        JsonElement[] pictures = [.. other.GetProperty("against").GetProperty("pictures").EnumerateArray()];
        Assert.Equal(2, pictures.Length);
        Assert.True(pictures[0].GetProperty("different").GetInt64() >= pictures[1].GetProperty("different").GetInt64());
        Assert.True(pictures[0].GetProperty("different").GetInt64() > 0);
        Assert.True(other.GetProperty("against").GetProperty("agreement").GetDouble() < 1);
        string table = Eval("--mean", "0.1,0.2,0.3", "--against", model.Path).Exits(0).Output;
        Assert.Contains("the models agree on", table);
        Assert.Contains("against 1.0000", table);
        ToolResult refused = Eval("--against", DefaultModel.Path).Exits(3);
        Assert.Contains("11 classes where the other has 5", refused.Error);
    }

    [Fact]
    public void Measures_are_written_as_a_table_for_programs()
    {
        AddPictures("a");
        string path = _place["measures.csv"];
        Assert.Empty(Eval("--boundaries", "--csv", path, "--quiet").Exits(0).Error);
        string[] lines = File.ReadAllLines(path);
        Assert.Equal("index,name,iou,accuracy,truePixels,predictedPixels,boundaryIou,boundaryF1", lines[0]);
        Assert.Equal(6, lines.Length);
        Assert.Contains(lines[1..], line => line.Contains(",1,1,", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_and_a_picture_of_the_confusion_are_for_people()
    {
        AddPictures("a");
        ToolResult result = Eval("--confusion", _place["confusion.png"], "--csv", _place["measures.csv"]).Exits(0);
        Assert.Contains("mean IoU", result.Output);
        Assert.Contains("1.0000", result.Output);
        Assert.Contains("1,221 pixels scored", result.Output);
        Assert.DoesNotContain('\e', result.Output);
        Assert.Equal(2, result.ErrorLines.Length);
        Assert.Contains("on cpu", result.ErrorLines[0]);
        Assert.Equal(
            $"atrous: confusion matrix in {_place["confusion.png"]}, measures of each class in {_place["measures.csv"]}",
            result.ErrorLines[1]);
        using Image picture = Image.Load(_place["confusion.png"]);
        Assert.Equal(picture.Width, picture.Height);
    }

    [Fact]
    public void Options_that_change_masks_change_the_score()
    {
        AddPictures("a");
        double plain = Accuracy();
        Assert.Equal(1, plain);
        foreach (
            string[] options in new string[][] { ["--flip"], ["--scales", "0.5,1.5"], ["--crf"], ["--resize", "65x65"],
            ["--tile", "32"], ["--output-stride", "8"] })
            Assert.InRange(Accuracy(options), 0, 0.99999);

        double Accuracy(params string[] options) =>
            Eval(["--json", "-q", .. options]).Exits(0).Json.GetProperty("pixelAccuracy").GetDouble();
    }

    [Fact]
    public void Label_maps_of_another_size_are_scored_at_theirs()
    {
        AddPictures("a");
        ushort[] labels = LabelImage.Load(_place["labels/a.png"]).Labels.ToArray();
        ushort[] doubled =
            [.. Enumerable.Range(0, 4 * Height * Width)
            .Select(i => labels[i / (2 * Width) / 2 * Width + i % (2 * Width) / 2])];
        LabelPng.Save(_place["labels/a.png"], doubled, 2 * Height, 2 * Width, 5);
        JsonElement json = Eval("--json").Exits(0).Json;
        Assert.Equal(4 * Height * Width, json.GetProperty("pixels").GetInt64());
        Assert.Equal(1, json.GetProperty("pixelAccuracy").GetDouble());
    }

    [Fact]
    public void Data_that_cannot_be_scored_is_one_sentence_that_names_the_file()
    {
        AddPictures("a", "b");
        File.Move(_place["labels/b.png"], _place["b.png"]);
        Eval("-q").Refuses(3, "images/b.png", "no label map");
        File.Move(_place["images/b.png"], _place["photo.png"]);
        File.Move(_place["b.png"], _place["labels/b.png"]);
        Eval("-q").Refuses(3, "labels/b.png", "no picture");
        _place.AddPhoto("images/b.png");
        _place.AddPhoto("images/b.jpg");
        Eval("-q").Refuses(3, "b.jpg", "b.png", "one name");
        File.Delete(_place["images/b.jpg"]);

        _place.Add("images/b.png", "broken");
        Eval("-q").Refuses(3, "images/b.png");
        _place.AddPhoto("images/b.png");
        _place.AddPhoto("labels/b.png");
        Eval("-q").Refuses(3, "labels/b.png", "colours");
        LabelPng.Save(_place["labels/b.png"], Enumerable.Repeat((ushort)7, Height * Width).ToArray(), Height, Width, 8);
        Eval("-q").Refuses(3, "labels/b.png", "label 7", "5 classes");
        Eval("-q", "--ignore", "7", "--json").Exits(0);

        Tool.Run("eval", model.Path, "--images", _place["nowhere"], "--labels", _place["labels"])
            .Refuses(3, "nowhere", "--images");
        Directory.CreateDirectory(_place["empty"]);
        Tool.Run("eval", model.Path, "--images", _place["empty"], "--labels", _place["labels"])
            .Refuses(3, "empty", "no .jpg");
        Tool.Run("eval", model.Path, "--labels", _place["labels"]).Refuses(2, "--images");
        Eval("--ignore", "x").Refuses(2, "--ignore takes a number");
        Eval("--batch", "0").Refuses(2, "--batch takes a number");
    }

    private ToolResult Eval(params string[] options) =>
        Tool.Run(["eval", model.Path, "--images", _place["images"], "--labels", _place["labels"], .. options]);

    /// <summary>Photos, and what the model makes of them as their truth.</summary>
    private void AddPictures(params string[] names)
    {
        using Segmenter segmenter = Segmenter.Load(model.Path);
        foreach (string name in names)
        {
            _place.Add($"images/{name}.png", Workplace.Photo(Height, Width));
            using Image photo = Image.Load(_place[$"images/{name}.png"]);
            Directory.CreateDirectory(Path.GetDirectoryName(_place[$"labels/{name}.png"])!);
            segmenter.Segment(photo).SaveMask(_place[$"labels/{name}.png"]);
        }
    }
}
