using System.Text.Json;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Evaluating;

/// <summary>`atrous eval` of data as it is distributed: endings, lists, maps, and the presets that set them.</summary>
public sealed class EvalLayoutTests(GeneratedModel model) : IDisposable
{
    private const int Height = 33, Width = 37;
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Endings_pair_pictures_with_label_maps_and_leave_the_others_out()
    {
        Add("img/ulm/a_leftImg8bit.png", "gt/ulm/a_gtFine_labelIds.png");
        Add("img/bonn/b_leftImg8bit.png", "gt/bonn/b_gtFine_labelIds.png");
        _place.AddPhoto("gt/ulm/a_gtFine_color.png");
        _place.AddPhoto("img/ulm/preview.png");
        string[] suffixes = ["--image-suffix", "_leftImg8bit.png", "--label-suffix", "_gtFine_labelIds.png"];
        ToolResult result = Eval([.. suffixes, "--json"]).Exits(0);
        Assert.Equal(2, result.Json.GetProperty("pictures").GetInt32());
        Assert.Equal(1, result.Json.GetProperty("meanIou").GetDouble());
        Assert.Contains("1 pictures do not end in _leftImg8bit.png", result.Error);

        // Without the pictures' ending the sentence says which option helps.
        Eval("-q", "--label-suffix", "_gtFine_labelIds.png").Refuses(3, "leftImg8bit.png", "--image-suffix");
        Eval(["-q", .. suffixes[..3], "_none.png"]).Refuses(3, "_none.png", "no label map");
        Eval("-q", "--image-suffix", "_right.png").Refuses(3, "_right.png");
        Eval("-q", "--label-suffix", "a/b.png").Refuses(2, "--label-suffix");
    }

    [Theory]
    [InlineData("a\n\nsub/b\n")]
    [InlineData("a.jpg\r\nsub/b.jpg\r\n")]
    [InlineData("b\na")]
    [InlineData("/data/img/a.png /data/gt/a_L.png\nimg/sub/b.png gt/sub/b_L.png")]
    public void A_list_names_the_pictures_to_score(string list)
    {
        Add("img/a.png", "gt/a_L.png");
        Add("img/sub/b.png", "gt/sub/b_L.png");
        _place.AddPhoto("img/without.png");
        string path = _place.Add("val.txt", list);
        ToolResult result = Eval("--label-suffix", "_L.png", "--list", path, "--json").Exits(0);
        Assert.Equal(2, result.Json.GetProperty("pictures").GetInt32());
        Assert.Equal(1, result.Json.GetProperty("pixelAccuracy").GetDouble());
        Assert.Contains("2 of 3 pictures are on the list", result.Error);
    }

    [Fact]
    public void A_list_that_does_not_fit_is_refused_by_line()
    {
        Add("img/a.png", "gt/a.png");
        _place.AddPhoto("img/b.png");
        Eval("-q", "--list", _place.Add("1.txt", "a\nnone\n")).Refuses(3, "1.txt: line 2", "'none'");
        Eval("-q", "--list", _place.Add("2.txt", "b\n")).Refuses(3, "2.txt: line 1", "label map");
        Eval("-q", "--list", _place.Add("3.txt", "a\na.png\n")).Refuses(3, "3.txt: line 2", "line 1 too");
        Eval("-q", "--list", _place.Add("4.txt", "\n")).Refuses(3, "4.txt", "names no picture");
        Eval("-q", "--list", _place["5.txt"]).Refuses(3, "5.txt", "--list");
    }

    [Fact]
    public void A_map_says_which_class_a_label_is_and_what_it_lacks_is_refused()
    {
        Add("img/a.png", "gt/a.png", label => label + 10);
        Eval("-q").Refuses(3, "gt/a.png", "none of the model's 5 classes");
        JsonElement json = Eval("--map", "shift=-10", "--json").Exits(0).Json;
        Assert.Equal(1, json.GetProperty("meanIou").GetDouble());
        Assert.Equal(Height * Width, json.GetProperty("pixels").GetInt64());
        string map = _place.Add("map.txt", "10 0\n11 1\n12 2\n13 3\n14 4\n");
        Assert.Equal(1, Eval("--map", map, "--json").Exits(0).Json.GetProperty("meanIou").GetDouble());
        Eval("-q", "--map", _place.Add("few.txt", "200 1")).Refuses(3, "gt/a.png", "has no class", "--map");
        Eval("-q", "--map", _place.Add("high.txt", "10 7")).Refuses(3, "class 7", "0 to 4");
        Eval("-q", "--map", _place["none.txt"]).Refuses(2, "none.txt", "--map");
    }

    [Fact]
    public void A_map_may_be_of_many_forms()
    {
        Add("img/a.png", "gt/a.png", label => label + 10);
        string map = _place.Add("map.txt", """
            # label class
            10 0
            11=1       # the pavement
            12, ignore
            13	255

            * 4
            """);
        JsonElement json = Eval("--map", map, "--json").Exits(0).Json;
        Assert.Equal(1, json.GetProperty("pixelAccuracy").GetDouble());
        Assert.Equal(
            Height * Width, json.GetProperty("pixels").GetInt64() + json.GetProperty("ignoredPixels").GetInt64());
        Assert.True(json.GetProperty("ignoredPixels").GetInt64() > 0);
    }

    [Fact]
    public void Label_maps_of_colours_are_read_by_a_map_of_colours()
    {
        Add("img/a.png", "gt/a.png");
        ushort[] labels = LabelImage.Load(_place["gt/a.png"]).Labels.ToArray();
        Rgb[] colours = [.. Palette.Voc.Colours.Skip(7).Take(5)];
        using (var image = new Image(Height, Width, 3))
        {
            for (int i = 0; i < labels.Length; i++)
            {
                (image.Pixels[3 * i], image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]) = colours[labels[i]];
            }
            image.SavePng(_place["gt/a.png"]);
        }
        string hex = string.Join('\n', colours.Select((colour, label) => $"{colour} {label}"));
        string numbers = string.Join(
            '\n', colours.Select((colour, label) => $"{colour.Red} {colour.Green} {colour.Blue} {label}"));
        foreach (string text in new[] { hex, numbers })
        {
            JsonElement json = Eval("--map", _place.Add("map.txt", text), "--json").Exits(0).Json;
            Assert.Equal(1, json.GetProperty("meanIou").GetDouble());
        }
        Eval("-q").Refuses(3, "gt/a.png", "colours");
        int present = labels[0];
        string few = _place.Add("few.txt", string.Join('\n', hex.Split('\n').Where((_, label) => label != present)));
        Eval("-q", "--map", few).Refuses(3, "gt/a.png", $"colour {colours[present]}", "--map");
    }

    [Theory]
    [InlineData("7", "line 1 is not understood")]
    [InlineData("7 x", "'x' is no number")]
    [InlineData("7 1\n7 2", "line 2 says a second time")]
    [InlineData("256 0 0 1", "'256' is no number from 0 to 255")]
    [InlineData("shift x", "a shift is a whole number")]
    [InlineData("#ff00 1", "names no label")]
    [InlineData("", "names no label")]
    public void A_map_that_says_nothing_is_refused(string text, string words)
    {
        Add("img/a.png", "gt/a.png");
        Eval("-q", "--map", _place.Add("map.txt", text)).Refuses(2, "map.txt", words);
    }

    [Fact]
    public void A_data_set_says_what_it_sets_and_refuses_a_model_of_other_classes()
    {
        Add("img/ulm/a_leftImg8bit.png", "gt/ulm/a_gtFine_labelIds.png", label => label + 7);
        Eval("-q", "--dataset", "cityscapes").Refuses(3, "5 classes", "cityscapes 19", "--map");
        Eval("-q", "--dataset", "kitti").Refuses(2, "cityscapes, voc, ade20k, camvid");
        // What is given goes before what the data set's name sets.
        ToolResult result = Eval("--dataset", "cityscapes", "--map", "shift=-7", "--json").Exits(0);
        Assert.Equal(1, result.Json.GetProperty("meanIou").GetDouble());
        string line = Assert.Single(result.ErrorLines, line => line.Contains("cityscapes sets"));
        Assert.Contains("--image-suffix _leftImg8bit.png", line);
        Assert.Contains("--label-suffix _gtFine_labelIds.png", line);
        Assert.DoesNotContain("--map", line);
    }

    /// <summary>The network in the box has CamVid's 11 classes, whatever a list of names says of their order.</summary>
    [Fact]
    public void A_data_set_whose_classes_stand_in_another_order_is_refused()
    {
        _place.AddPhoto("img/a.png");
        Directory.CreateDirectory(_place["gt"]);
        LabelPng.Save(_place["gt/a_L.png"], new ushort[Height * Width], Height, Width, 256);
        string[] camvid = ["eval", "--dataset", "camvid", "--images", _place["img"], "--labels", _place["gt"], "-q"];
        string[] names =
        [
            "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
        ];
        Tool.Run([.. camvid, "--classes", _place.Add("same.txt", string.Join('\n', names))]).Exits(0);
        (names[0], names[3]) = ("Road", "Sky");
        Tool.Run([.. camvid, "--classes", _place.Add("other.txt", string.Join('\n', names))])
            .Refuses(3, "class 0 is Road", "camvid's is sky", "--map");
    }

    [Fact]
    public void Voc_takes_its_own_list_and_without_one_the_pictures_that_have_label_maps()
    {
        string[] voc =
        [
            "--dataset", "voc", "--map", "shift=0", "--images", _place["voc/JPEGImages"],
            "--labels", _place["voc/SegmentationClass"], "--json",
        ];
        Add("voc/JPEGImages/a.png", "voc/SegmentationClass/a.png");
        Add("voc/JPEGImages/b.png", "voc/SegmentationClass/b.png");
        _place.AddPhoto("voc/JPEGImages/c.png");
        ToolResult result = Tool.Run(["eval", model.Path, .. voc]).Exits(0);
        Assert.Equal(2, result.Json.GetProperty("pictures").GetInt32());
        Assert.Contains("1 pictures without a label map are left out", result.Error);
        Assert.Contains("no --list, since there is no", result.Error);
        _place.Add("voc/ImageSets/Segmentation/val.txt", "b\n");
        Assert.Equal(
            1, Tool.Run(["eval", model.Path, .. voc]).Exits(0).Json.GetProperty("pictures").GetInt32());
    }

    /// <summary>Pixels of 24 bits, of a BMP or a PNG, are classes where all of them are grey.</summary>
    [Theory]
    [InlineData(".bmp")]
    [InlineData(".png")]
    public void Label_maps_of_greys_are_found_by_any_ending_that_keeps_them(string ending)
    {
        Add("img/a.png", "gt/a.png");
        ushort[] labels = LabelImage.Load(_place["gt/a.png"]).Labels.ToArray();
        File.Delete(_place["gt/a.png"]);
        Rgb[] greys = [.. Enumerable.Range(0, 5).Select(label => new Rgb((byte)label, (byte)label, (byte)label))];
        Write(greys);
        Assert.Equal(1, Eval("--json").Exits(0).Json.GetProperty("meanIou").GetDouble());
        greys[labels[0]] = new Rgb(1, 2, 3);
        Write(greys);
        Eval("-q").Refuses(3, "gt/a" + ending, "colours");
        string map = string.Join('\n', greys.Select((colour, label) => $"{colour} {label}"));
        Assert.Equal(
            1, Eval("--map", _place.Add("map.txt", map), "--json").Exits(0).Json.GetProperty("meanIou").GetDouble());

        void Write(Rgb[] colours)
        {
            using var image = new Image(Height, Width, 3);
            for (int i = 0; i < labels.Length; i++)
                (image.Pixels[3 * i], image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]) = colours[labels[i]];
            if (ending == ".png")
                image.SavePng(_place["gt/a.png"]);
            else
                File.WriteAllBytes(_place["gt/a.bmp"], BmpFile.Of(image));
        }
    }

    [Fact]
    public void Coarse_label_maps_of_cityscapes_are_found()
    {
        Add("img/ulm/a_leftImg8bit.png", "gt/ulm/a_gtCoarse_labelIds.png", label => label + 7);
        ToolResult result = Eval("--dataset", "cityscapes", "--map", "shift=-7", "--json").Exits(0);
        Assert.Equal(1, result.Json.GetProperty("meanIou").GetDouble());
        Assert.Contains("--label-suffix _gtCoarse_labelIds.png", result.Error);
    }

    private ToolResult Eval(params string[] options) =>
        Tool.Run(["eval", model.Path, "--images", _place["img"], "--labels", _place["gt"], .. options]);

    /// <summary>A photo, and what the model makes of it as its truth, with other numbers where that is asked.</summary>
    private void Add(string picture, string labels, Func<int, int>? number = null)
    {
        _place.AddPhoto(picture);
        using Segmenter segmenter = Segmenter.Load(model.Path);
        using Image photo = Image.Load(_place[picture]);
        ushort[] mask = segmenter.Segment(photo).Labels.ToArray();
        Directory.CreateDirectory(Path.GetDirectoryName(_place[labels])!);
        LabelPng.Save(
            _place[labels], [.. mask.Select(label => (ushort)(number?.Invoke(label) ?? label))], Height, Width, 256);
    }
}
