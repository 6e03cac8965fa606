using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Xml.Linq;
using Atrous.Checkpoints;
using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Tensors;
using Atrous.Tests.Segmenters;

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
        for (int i = 0; i < names.Length; i++)
        {
            LabelImage mask = LabelImage.Load(_place[$"out/{names[i]}.mask.png"]);
            string stem = _place[$"out/{names[i]}"];
            AssertFills(mask, GeoJson(stem));
            AssertFills(mask, Yolo(stem, mask));
            AssertFills(mask, LabelMe(stem));
            AssertFills(mask, Svg(stem));
            AssertFills(mask, LabelStudio(i, mask));
            AssertFills(mask, Coco(i, names[i], mask));
            AssertFills(mask, Cvat(names[i]));
            using Image colours = Image.Load(stem + ".rgb.png");
            using Image expected = Overlay.Colours(mask.Labels, mask.Height, mask.Width, Palette.Default);
            Assert.Equal(expected.Pixels, colours.Pixels);
            Assert.Equal(2, Png(stem + ".confidence.png").Depth / 8);
        }
    }

    /// <summary>Noise of a few classes, which has as many regions and holes as there can be, and its blocks.</summary>
    [Fact]
    public void A_hundred_random_masks_survive_every_format()
    {
        const int Masks = 100;
        Directory.CreateDirectory(_place["out"]);
        var masks = new List<Segmentation>();
        for (int i = 0; i < Masks; i++)
        {
            var random = new Random(i);
            (int height, int width, int block) = (random.Next(1, 17), random.Next(1, 17), random.Next(1, 4));
            ushort[] noise = [.. Enumerable.Range(0, height * width).Select(_ => (ushort)random.Next(4))];
            ushort[] labels = [.. noise.Select((_, at) => noise[at / width / block * width + at % width / block])];
            masks.Add(Segmentation.FromLabels(labels, height, width, 4));
        }
        WriteAll(masks);
        for (int i = 0; i < Masks; i++)
        {
            var mask = new LabelImage(masks[i].Labels, masks[i].Height, masks[i].Width);
            string stem = _place[$"out/{i}"];
            Assert.Equal(mask.Labels, LabelImage.Load(stem + ".mask.png").Labels);
            Assert.Equal(mask.Labels, LabelImage.Load(stem + ".mask.tif").Labels);
            AssertFills(mask, GeoJson(stem));
            AssertFills(mask, Yolo(stem, mask));
            AssertFills(mask, LabelMe(stem));
            AssertFills(mask, Svg(stem));
            AssertFills(mask, LabelStudio(i, mask));
            AssertFills(mask, Coco(i, $"{i}", mask));
            AssertFills(mask, Cvat($"{i}"));
        }
    }

    private void WriteAll(IReadOnlyList<Segmentation> masks)
    {
        var classes = RunClasses.Of(masks[0], Palette.Default);
        RunFormat[] formats = [.. OutputFormats.OfRun.Where(format => !format.HasClassesAlone)];
        FileStream[] files = [.. formats.Select(format => File.Create(_place[$"out/{format.File}"]))];
        RunWriter[] writers = [.. formats.Zip(files, (format, file) => format.Open(file, classes))];
        for (int i = 0; i < masks.Count; i++)
        {
            Segmentation mask = masks[i];
            using var photo = new Image(mask.Height, mask.Width, 3);
            var picture = new AnnotatedPicture($"{i}.png", photo, mask, Palette.Default, new());
            foreach (PictureFormat format in OutputFormats.OfPicture.Where(
                format => !format.NeedsConfidence && !format.NeedsProbabilities && !format.Suffix.EndsWith(".png")))
            {
                using FileStream file = File.Create(_place[$"out/{i}{format.Suffix}"]);
                format.Write(file, picture);
            }
            Array.ForEach(writers, writer => writer.Add(picture));
            mask.SaveMask(_place[$"out/{i}.mask.png"]);
            using FileStream tiff = File.Create(_place[$"out/{i}.mask.tif"]);
            using var rows = new LabelTiff(tiff, mask.Height, mask.Width, 4, Palette.Default, null, null);
            rows.Write(mask.Labels);
            rows.End();
        }
        Array.ForEach(writers, writer => writer.Dispose());
        Array.ForEach(files, file => file.Dispose());
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
        JsonElement coco = Json(_place["out/annotations.coco.json"]);
        JsonElement image = Assert.Single(coco.GetProperty("images").EnumerateArray());
        Assert.Equal("a.png", image.GetProperty("file_name").GetString());
        Assert.True(File.Exists(_place["out/a.mask.png"]));
    }

    /// <summary>Every pixel's centre lies in one shape, or one more than that by slits, of its class.</summary>
    private static void AssertFills(LabelImage mask, IEnumerable<(int Label, double[][] Rings)> shapes)
    {
        var labels = new int[mask.Labels.Length];
        Array.Fill(labels, -1);
        foreach ((int label, double[][] rings) in shapes)
        {
            foreach (int pixel in Inside(rings, mask.Height, mask.Width))
            {
                Assert.Equal(-1, labels[pixel]);
                labels[pixel] = label;
            }
        }
        Assert.Equal(mask.Labels.ToArray().Select(label => (int)label), labels);
    }

    /// <summary>By the even-odd rule.</summary>
    private static IEnumerable<int> Inside(double[][] rings, int height, int width)
    {
        for (int pixel = 0; pixel < height * width; pixel++)
        {
            double x = pixel % width + 0.5, y = pixel / width + 0.5;
            bool inside = false;
            foreach (double[] ring in rings)
            {
                for (int i = 0, last = ring.Length - 2; i < ring.Length; last = i, i += 2)
                {
                    if (ring[i + 1] > y != ring[last + 1] > y
                        && x < ring[i] + (y - ring[i + 1]) * (ring[last] - ring[i]) / (ring[last + 1] - ring[i + 1]))
                        inside = !inside;
                }
            }
            if (inside)
                yield return pixel;
        }
    }

    private static IEnumerable<(int, double[][])> GeoJson(string stem) =>
        Json(stem + ".geojson").GetProperty("features").EnumerateArray().Select(feature => (
            feature.GetProperty("properties").GetProperty("class").GetInt32(),
            feature.GetProperty("geometry").GetProperty("coordinates").EnumerateArray().Select(Flat).ToArray()));

    private static IEnumerable<(int, double[][])> Yolo(string stem, LabelImage mask) =>
        File.ReadLines(stem + ".txt").Select(line => line.Split(' ')).Select(parts => (
            Number(parts[0]), (double[][])[[.. parts.Skip(1).Select((part, i) => Math.Round(
                double.Parse(part, CultureInfo.InvariantCulture) * (i % 2 == 0 ? mask.Width : mask.Height)))]]));

    private static IEnumerable<(int, double[][])> LabelMe(string stem)
    {
        JsonElement file = Json(stem + ".json");
        Assert.Equal(Path.GetFileName(stem) + ".png", file.GetProperty("imagePath").GetString());
        return file.GetProperty("shapes").EnumerateArray().Select(shape => (
            LabelOf(shape.GetProperty("label").GetString()!), (double[][])[Flat(shape.GetProperty("points"))]));
    }

    private static IEnumerable<(int, double[][])> Svg(string stem) =>
        XDocument.Load(stem + ".svg").Root!.Elements().SelectMany(group => group.Elements()
            .Where(element => element.Name.LocalName == "path").Select(path => (
                Number(group.Attribute("data-class")!.Value),
                path.Attribute("d")!.Value.Split('Z', StringSplitOptions.RemoveEmptyEntries)
                    .Select(ring => Numbers(ring, 'M', 'L', ' ')).ToArray())));

    private IEnumerable<(int, double[][])> LabelStudio(int picture, LabelImage mask) =>
        Json(_place["out/annotations.labelstudio.json"])[picture].GetProperty("predictions")[0].GetProperty("result")
            .EnumerateArray().Select(result => (
                LabelOf(result.GetProperty("value").GetProperty("polygonlabels")[0].GetString()!),
                (double[][])[[.. Flat(result.GetProperty("value").GetProperty("points")).Select((value, i) =>
                    Math.Round(value / 100 * (i % 2 == 0 ? mask.Width : mask.Height)))]]));

    private IEnumerable<(int, double[][])> Coco(int picture, string name, LabelImage mask)
    {
        JsonElement file = Json(_place["out/annotations.coco.json"]), image = file.GetProperty("images")[picture];
        Assert.Equal(name + ".png", image.GetProperty("file_name").GetString());
        Assert.Equal((mask.Height, mask.Width),
            (image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32()));
        JsonElement[] all = [.. file.GetProperty("annotations").EnumerateArray()];
        Assert.Equal(Enumerable.Range(1, all.Length), all.Select(entry => entry.GetProperty("id").GetInt32()));
        return all.Where(entry => entry.GetProperty("image_id").GetInt32() == picture + 1).Select(entry =>
        {
            JsonElement shape = entry.GetProperty("segmentation");
            return (entry.GetProperty("category_id").GetInt32() - 1, shape.ValueKind == JsonValueKind.Array
                ? shape.EnumerateArray().Select(Flat).ToArray()
                : Columns(Counts(shape.GetProperty("counts").GetString()!), mask.Height));
        });
    }

    private IEnumerable<(int, double[][])> Cvat(string name) => XDocument.Load(_place["out/annotations.cvat.xml"]).Root!
        .Elements("image").Single(image => image.Attribute("name")!.Value == name + ".png").Elements().Select(shape => (
            LabelOf(shape.Attribute("label")!.Value), shape.Name == "polygon"
                ? [Numbers(shape.Attribute("points")!.Value, ';', ',')]
                : Rows(shape)));

    /// <summary>A box for each run of a mask.</summary>
    private static double[][] Rows(XElement mask)
    {
        int left = At("left"), top = At("top"), width = At("width");
        var boxes = new List<double[]>();
        int start = 0;
        foreach ((int run, int length) in mask.Attribute("rle")!.Value.Split(", ").Select(Number).Index())
        {
            for (int i = start; run % 2 == 1 && i < start + length; i++)
                boxes.Add(Box(left + i % width, top + i / width));
            start += length;
        }
        Assert.Equal(At("height") * width, start);
        return [.. boxes];

        int At(string name) => Number(mask.Attribute(name)!.Value);
    }

    private static double[][] Columns(IReadOnlyList<int> counts, int height)
    {
        var boxes = new List<double[]>();
        int start = 0;
        foreach ((int run, int length) in counts.Index())
        {
            for (int i = start; run % 2 == 1 && i < start + length; i++)
                boxes.Add(Box(i / height, i % height));
            start += length;
        }
        return [.. boxes];
    }

    /// <summary>As pycocotools reads compressed counts.</summary>
    private static List<int> Counts(string text)
    {
        var counts = new List<int>();
        for (int at = 0; at < text.Length;)
        {
            int value = 0, shift = 0, group;
            do
            {
                group = text[at++] - 48;
                value |= (group & 0x1f) << shift;
                shift += 5;
            }
            while ((group & 0x20) != 0);
            if ((group & 0x10) != 0)
                value |= -1 << shift;
            counts.Add(counts.Count > 2 ? value + counts[^2] : value);
        }
        return counts;
    }

    private static double[] Box(int x, int y) => [x, y, x + 1, y, x + 1, y + 1, x, y + 1];

    private static double[] Flat(JsonElement list) => [.. list.EnumerateArray().SelectMany(item =>
        item.ValueKind == JsonValueKind.Array
            ? item.EnumerateArray().Select(number => number.GetDouble())
            : [item.GetDouble()])];

    private static double[] Numbers(string text, params char[] separators) =>
        [.. text.Split(separators, StringSplitOptions.RemoveEmptyEntries)
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int LabelOf(string name) => Number(name["class ".Length..]);

    private static (int Width, int Height, int Depth) Png(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return (bytes[18] << 8 | bytes[19], bytes[22] << 8 | bytes[23], bytes[24]);
    }

    private static JsonElement Json(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}
