using System.Text.Json;
using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Support;

namespace Atrous.Tests.Evaluation;

/// <summary>The measures against numpy's (tests/goldens/make_metrics.py), and what cannot be measured.</summary>
public sealed class ConfusionMatrixTests
{
    private static readonly JsonElement[] Cases =
        [.. JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(Repository.Goldens, "metrics.json"))).RootElement.EnumerateArray()];

    public static TheoryData<string> Names => [.. Cases.Select(entry => entry.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_measures_are_numpy_s(string name)
    {
        JsonElement golden = Cases.Single(entry => entry.GetProperty("name").GetString() == name);
        var matrix =
            new ConfusionMatrix(golden.GetProperty("classes").GetInt32(), golden.GetProperty("ignore").GetInt32());
        foreach (JsonElement picture in golden.GetProperty("pictures").EnumerateArray())
        {
            int[] truth = Numbers(picture.GetProperty("truthShape")), mask = Numbers(picture.GetProperty("maskShape"));
            matrix.Add(
                new LabelImage(Labels(picture.GetProperty("truth")), truth[0], truth[1]),
                Labels(picture.GetProperty("mask")), mask[0], mask[1]);
        }
        for (int label = 0; label < matrix.Classes; label++)
        {
            Assert.Equal(
                Numbers(golden.GetProperty("confusion")[label]).Select(pixels => (long)pixels),
                Enumerable.Range(0, matrix.Classes).Select(predicted => matrix[label, predicted]));
            AssertMeasure(golden.GetProperty("iou")[label], matrix.Iou(label));
            AssertMeasure(golden.GetProperty("accuracy")[label], matrix.Accuracy(label));
        }
        AssertMeasure(golden.GetProperty("meanIou"), matrix.MeanIou);
        AssertMeasure(golden.GetProperty("meanAccuracy"), matrix.MeanAccuracy);
        AssertMeasure(golden.GetProperty("pixelAccuracy"), matrix.PixelAccuracy);
        AssertMeasure(golden.GetProperty("frequencyWeightedIou"), matrix.FrequencyWeightedIou);
        Assert.Equal(golden.GetProperty("pixels").GetInt64(), matrix.Pixels);
        Assert.Equal(golden.GetProperty("ignoredPixels").GetInt64(), matrix.Ignored);
    }

    [Fact]
    public void A_true_label_that_is_no_class_is_refused_before_anything_is_counted()
    {
        var matrix = new ConfusionMatrix(3, ignore: 255);
        ImageException refused = Assert.Throws<ImageException>(
            () => matrix.Add(new LabelImage([0, 1, 255, 0, 2, 7], 2, 3), [0, 0, 0, 0, 0, 0], 2, 3));
        Assert.Contains("label 7 (row 1, column 2)", refused.Message);
        Assert.Contains("3 classes", refused.Message);
        Assert.Equal((0, 0), (matrix.Pixels, matrix.Ignored));
        Assert.Throws<ArgumentException>(() => matrix.Add(new LabelImage([0], 1, 1), [3], 1, 1));
        Assert.Throws<ArgumentException>(() => matrix.Add(new LabelImage([0], 1, 1), [0, 0], 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix[0, 3]);
    }

    [Fact]
    public void Without_pixels_there_is_no_measure()
    {
        var matrix = new ConfusionMatrix(2);
        matrix.Add(new LabelImage([255], 1, 1), [1], 1, 1);
        Assert.Equal((0, 1), (matrix.Pixels, matrix.Ignored));
        Assert.All(
            [matrix.MeanIou, matrix.MeanAccuracy, matrix.PixelAccuracy, matrix.FrequencyWeightedIou],
            measure => Assert.Equal(double.NaN, measure));
    }

    [Fact]
    public void The_picture_has_dark_cells_where_the_pixels_are()
    {
        var matrix = new ConfusionMatrix(3);
        matrix.Add(new LabelImage([0, 0, 1, 1], 2, 2), [0, 0, 2, 2], 2, 2);
        using Image picture = ConfusionPicture.Draw(matrix);
        const int Cell = 40, Edge = 60;
        Assert.Equal((Edge + 3 * Cell, Edge + 3 * Cell), (picture.Width, picture.Height));
        Rgb dark = Rgb.FromHex(0x08306B), light = Rgb.FromHex(0xF7FBFF), none = Rgb.FromHex(0xD9D9D9);
        Rgb[] expected = [dark, light, light, light, light, dark, none, none, none];
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], At(picture, Edge + i / 3 * Cell + 5, Edge + i % 3 * Cell + 5));
        Assert.Equal(Palette.Default[2], At(picture, Edge + 2 * Cell + 5, 5));
        Assert.Equal(Palette.Default[2], At(picture, 5, Edge + 2 * Cell + 5));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(150)]
    [InlineData(500)]
    public void The_named_picture_has_the_same_cells(int classes)
    {
        var matrix = new ConfusionMatrix(classes);
        matrix.Add(new LabelImage([0, 0, 1, 1], 2, 2), [0, 0, 2, 2], 2, 2);
        string[] names = [.. Enumerable.Range(0, classes).Select(label => $"class number {label}")];
        using Image picture = ConfusionPicture.DrawNamed(matrix, names);
        Assert.InRange(picture.Width, 200, 3000);
        if (classes != 3)
            return;
        const int Cell = 64;
        int edge = picture.Width - 3 * Cell - Cell / 4;
        Rgb dark = Rgb.FromHex(0x08306B), light = Rgb.FromHex(0xF7FBFF), none = Rgb.FromHex(0xD9D9D9);
        Rgb[] expected = [dark, light, light, light, light, dark, none, none, none];
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], At(picture, edge + i / 3 * Cell + 5, edge + i % 3 * Cell + 5));
        // A figure in the dark cell, and none where it is 0.
        Assert.Contains(new Rgb(255, 255, 255), Cells(edge, edge));
        Assert.Single(Cells(edge, edge + Cell));
        Assert.Throws<ArgumentException>(() => ConfusionPicture.DrawNamed(matrix, ["one"]));

        HashSet<Rgb> Cells(int top, int left)
        {
            var colours = new HashSet<Rgb>();
            for (int i = 0; i < 60 * 60; i++)
                colours.Add(At(picture, top + i / 60, left + i % 60));
            return colours;
        }
    }

    private static Rgb At(Image picture, int y, int x) =>
        picture.Pixels.Slice((y * picture.Width + x) * 3, 3) is var pixel
            ? new Rgb(pixel[0], pixel[1], pixel[2])
            : default;

    private static void AssertMeasure(JsonElement expected, double actual)
    {
        if (expected.ValueKind == JsonValueKind.Null)
            Assert.Equal(double.NaN, actual);
        else
            Assert.Equal(expected.GetDouble(), actual, 1e-12);
    }

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];

    private static ushort[] Labels(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetUInt16())];
}
