using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Atrous.Postprocessing;

namespace Atrous.Tests.Cli.Formats;

/// <summary>Reads back what <c>--format</c> wrote, as the formats' own programs understand it.</summary>
/// <param name="folder">Where the files about all pictures are.</param>
internal sealed class WrittenShapes(string folder)
{
    /// <summary>All formats of shapes hold the mask, pixel for pixel.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="stem">The path of the picture's files without their ends.</param>
    /// <param name="index">Which picture of the run it is.</param>
    /// <param name="name">What files about all pictures call it, without its end.</param>
    public void AssertHolds(LabelImage mask, string stem, int index, string name)
    {
        AssertFills(mask, GeoJson(stem));
        AssertFills(mask, Yolo(stem, mask));
        AssertFills(mask, LabelMe(stem));
        AssertFills(mask, Svg(stem));
        AssertFills(mask, LabelStudio(index, mask));
        AssertFills(mask, Coco(index, name, mask));
        AssertFills(mask, Cvat(name));
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

    /// <summary>By the even-odd rule, from where the lines cross the middle of each row.</summary>
    private static IEnumerable<int> Inside(double[][] rings, int height, int width)
    {
        var crossings = new SortedDictionary<int, List<double>>();
        foreach (double[] ring in rings)
        {
            for (int i = 0, last = ring.Length - 2; i < ring.Length; last = i, i += 2)
            {
                (double x, double y, double toX, double toY) = (ring[last], ring[last + 1], ring[i], ring[i + 1]);
                for (int row = (int)Math.Ceiling(Math.Min(y, toY) - 0.5); row + 0.5 < Math.Max(y, toY); row++)
                {
                    if (!crossings.TryGetValue(row, out List<double>? xs))
                        crossings[row] = xs = [];
                    xs.Add(x + (row + 0.5 - y) * (toX - x) / (toY - y));
                }
            }
        }
        foreach ((int row, List<double> xs) in crossings)
        {
            Assert.InRange(row, 0, height - 1);
            xs.Sort();
            for (int i = 0; i < xs.Count; i += 2)
            {
                for (int column = (int)Math.Ceiling(xs[i] - 0.5); column + 0.5 < xs[i + 1]; column++)
                {
                    Assert.InRange(column, 0, width - 1);
                    yield return row * width + column;
                }
            }
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
        Json(Path.Combine(folder, "annotations.labelstudio.json"))[picture].GetProperty("predictions")[0]
            .GetProperty("result").EnumerateArray().Select(result => (
                LabelOf(result.GetProperty("value").GetProperty("polygonlabels")[0].GetString()!),
                (double[][])[[.. Flat(result.GetProperty("value").GetProperty("points")).Select((value, i) =>
                    Math.Round(value / 100 * (i % 2 == 0 ? mask.Width : mask.Height)))]]));

    private IEnumerable<(int, double[][])> Coco(int picture, string name, LabelImage mask)
    {
        JsonElement file = Json(Path.Combine(folder, "annotations.coco.json"));
        JsonElement image = file.GetProperty("images")[picture];
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

    private IEnumerable<(int, double[][])> Cvat(string name) =>
        XDocument.Load(Path.Combine(folder, "annotations.cvat.xml")).Root!
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

    public static JsonElement Json(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}
