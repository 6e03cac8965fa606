using System.Runtime.InteropServices;
using System.Text.Json;
using Atrous.Checkpoints;
using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Tensors;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Formats;

/// <summary>`atrous segment --format`: what is written holds the mask, pixel for pixel.</summary>
public sealed class FormatTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Every_format_holds_the_mask()
    {
        Directory.CreateDirectory(_place["photos/sub"]);
        _place.AddPhoto("photos/a.png");
        _place.AddPhoto("photos/sub/b <&>.png");
        Tool.RunIn(
            _place.Folder, "segment", "photos", "-o", "out", "--model", model.Path, "--format",
            "coco,geojson,yolo,labelme,svg,cvat,labelstudio,rgb,confidence").Exits(0);
        string[] names = ["a", "sub/b <&>"];
        var written = new WrittenShapes(_place["out"]);
        for (int i = 0; i < names.Length; i++)
        {
            LabelImage mask = LabelImage.Load(_place[$"out/{names[i]}.mask.png"]);
            string stem = _place[$"out/{names[i]}"];
            written.AssertHolds(mask, stem, i, names[i]);
            using Image colours = Image.Load(stem + ".rgb.png");
            using Image expected = Overlay.Colours(mask.Labels, mask.Height, mask.Width, Palette.Default);
            Assert.Equal(expected.Pixels, colours.Pixels);
            Assert.Equal(2, Png(stem + ".confidence.png").Depth / 8);
        }
    }

    [Fact]
    public void A_hundred_random_masks_survive_every_format() =>
        AssertSurvive(SetsOfMasks.Random(), SetsOfMasks.Classes);

    /// <summary>Masks of photographs: what networks and people made of them, with 19 to 32 classes.</summary>
    [Theory]
    [MemberData(nameof(SetsOfMasks.OfPhotographs), MemberType = typeof(SetsOfMasks))]
    public void Masks_of_photographs_survive_every_format(string folder, int classes) =>
        AssertSurvive(SetsOfMasks.Of(folder, classes), classes);

    /// <summary>A plain picture has no place on the earth, where programs would put its pixels as degrees.</summary>
    [Fact]
    public void Geojson_of_a_plain_picture_says_that_it_has_no_coordinate_system()
    {
        _place.AddPhoto("a.png");
        Tool.RunIn(_place.Folder, "segment", "a.png", "--model", model.Path, "--format", "geojson").Exits(0);
        Assert.Equal(
            JsonValueKind.Null, WrittenShapes.Json(_place["a.geojson"]).GetProperty("crs").ValueKind);
    }

    [Theory]
    [InlineData("coco")]
    [InlineData("cvat")]
    [InlineData("labelstudio")]
    public void Pictures_of_one_name_are_refused_for_one_file(string format)
    {
        _place.AddPhoto("north/a.png");
        _place.AddPhoto("south/a.png");
        Tool.RunIn(_place.Folder, "segment", "north", "south", "--model", model.Path, "-q", "--format", format)
            .Refuses(2, "would both be a.png", $"--format {format}", "name the folder above them");
        Tool.RunIn(_place.Folder, "segment", ".", "--model", model.Path, "-q", "--format", format).Exits(0);
    }

    private void AssertSurvive(IReadOnlyList<Segmentation> masks, int classes)
    {
        SetsOfMasks.Write(_place["out"], masks, classes);
        var written = new WrittenShapes(_place["out"]);
        for (int i = 0; i < masks.Count; i++)
        {
            var mask = new LabelImage(masks[i].Labels, masks[i].Height, masks[i].Width);
            string stem = _place[$"out/{i}"];
            Assert.Equal(mask.Labels, LabelImage.Load(stem + ".mask.png").Labels);
            Assert.Equal(mask.Labels, LabelImage.Load(stem + ".mask.tif").Labels);
            written.AssertHolds(mask, stem, i, $"{i}");
        }
    }

    [Fact]
    public void Probabilities_and_confidence_are_the_library_s()
    {
        _place.AddPhoto("a.png");
        Tool.RunIn(
            _place.Folder, "segment", "a.png", "--model", model.Path, "--format",
            "probabilities,npy,floattiff,confidence,confidence8").Exits(0);
        using Segmenter segmenter = Segmenter.Load(model.Path);
        using Image photo = Image.Load(_place["a.png"]);
        using Tensor tensor = segmenter.Probabilities(photo);
        byte[] expected = MemoryMarshal.AsBytes(tensor.Image<float>(0)).ToArray();
        byte[] npy = File.ReadAllBytes(_place["a.probabilities.npy"]);
        Assert.Equal(0, (npy.Length - expected.Length) % 64);
        Assert.Contains("'shape': (33, 37, 5)", System.Text.Encoding.ASCII.GetString(npy, 0, 128));
        Assert.Equal(expected, npy[^expected.Length..]);
        using (Checkpoint file = Checkpoint.Open(_place["a.probabilities.safetensors"]))
        {
            var values = new float[tensor.Shape.Elements];
            file.Read("probabilities", values);
            Assert.Equal([33, 37, 5], file.Weights["probabilities"].Shape);
            Assert.Equal(expected, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        }
        using var raster = new TiffRaster(_place["a.probabilities.tif"], new RasterReading
        {
            Channels = 5,
            Nothing = count => new float[count],
            White = 255,
        });
        using Image bands = raster.Window(0, 0, 33, 37);
        Assert.Equal(expected, MemoryMarshal.AsBytes(bands.Samples.AsSpan()).ToArray());
        float[] confidence = segmenter.Segment(photo, confidence: true).Confidence.ToArray();
        using Image eight = Image.Load(_place["a.confidence8.png"]);
        Assert.Equal(confidence.Select(value => (byte)MathF.Round(value * 255)), eight.Pixels.ToArray());
        Tool.RunIn(
            _place.Folder, "segment", "a.png", "--model", model.Path, "-q", "--tile", "32", "--format", "npy")
            .Refuses(3, "sliding window");
    }

    [Fact]
    public void A_cutout_keeps_the_photo_where_the_classes_are()
    {
        _place.AddPhoto("a.png");
        Tool.RunIn(
            _place.Folder, "segment", "a.png", "--model", model.Path, "--format", "cutout", "--only", "1,2").Exits(0);
        LabelImage mask = LabelImage.Load(_place["a.mask.png"]);
        using Image photo = Image.Load(_place["a.png"]), cutout = Image.Load(_place["a.cutout.png"]);
        for (int i = 0; i < mask.Labels.Length; i++)
        {
            ReadOnlySpan<byte> expected = mask.Labels[i] is 1 or 2 ? photo.Pixels.Slice(3 * i, 3) : [0, 0, 0];
            Assert.Equal(expected, cutout.Pixels.Slice(4 * i, 3));
            Assert.Equal(mask.Labels[i] is 1 or 2 ? 255 : 0, cutout.Pixels[4 * i + 3]);
        }
    }

    [Fact]
    public void A_later_run_takes_no_output_for_a_picture()
    {
        _place.AddPhoto("a.png");
        string[] formats = ["--format", "rgb,cutout,confidence,svg,geojson"];
        Tool.RunIn(_place.Folder, ["segment", ".", "--model", model.Path, .. formats]).Exits(0);
        string[] files = Files();
        Tool.RunIn(_place.Folder, ["segment", ".", "--model", model.Path, .. formats]).Exits(0);
        Assert.Equal(files, Files());

        string[] Files() => [.. Directory.GetFiles(_place.Folder).Order()];
    }

    [Theory]
    [InlineData("--format takes geojson", "--format", "tiff")]
    [InlineData("name a folder for them with -o", "--format", "yolo")]
    [InlineData("name a folder for them with -o", "--format", "labelme")]
    [InlineData("give --format as well", "--only", "road")]
    [InlineData("give --format as well", "--min-area", "3")]
    [InlineData("give --format as well", "--simplify", "1")]
    [InlineData("--simplify takes", "--format", "svg", "--simplify", "-1")]
    [InlineData("--min-area takes", "--format", "svg", "--min-area", "0")]
    [InlineData("'unicorn' is no class", "--format", "svg", "--only", "unicorn")]
    [InlineData("Standard output takes the mask alone", "--format", "svg", "-o", "-")]
    public void What_cannot_be_written_is_wrong_usage(string part, params string[] options)
    {
        _place.AddPhoto("a.png");
        Tool.RunIn(_place.Folder, ["segment", "a.png", "--model", model.Path, .. options]).Refuses(2, part);
        Assert.Single(Directory.GetFiles(_place.Folder));
    }

    [Fact]
    public void A_picture_called_as_a_file_of_the_run_is_refused()
    {
        _place.AddPhoto("classes.png");
        Tool.RunIn(
            _place.Folder, "segment", "classes.png", "-o", "out/", "-q", "--model", model.Path, "--format", "yolo")
            .Refuses(2, "rename the picture");
        Assert.Empty(Directory.GetFiles(_place["out"]));
    }

    [Fact]
    public void A_bad_picture_is_left_out_of_the_files_of_the_run()
    {
        _place.AddPhoto("a.png");
        File.WriteAllText(_place["b.png"], "no picture");
        Tool.RunIn(
            _place.Folder, "segment", "a.png", "b.png", "-o", "out", "--model", model.Path, "--format", "coco")
            .Exits(3);
        JsonElement coco = WrittenShapes.Json(_place["out/annotations.coco.json"]);
        JsonElement image = Assert.Single(coco.GetProperty("images").EnumerateArray());
        Assert.Equal("a.png", image.GetProperty("file_name").GetString());
        Assert.Equal(
            ["info", "licenses", "annotations", "images", "categories"],
            coco.EnumerateObject().Select(member => member.Name));
        Assert.True(File.Exists(_place["out/a.mask.png"]));
    }

    private static (int Width, int Height, int Depth) Png(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return (bytes[18] << 8 | bytes[19], bytes[22] << 8 | bytes[23], bytes[24]);
    }
}
