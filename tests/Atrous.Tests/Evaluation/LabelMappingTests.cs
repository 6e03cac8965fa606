using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Evaluation;

/// <summary>Labels and colours of public data sets as classes, and what their own scripts score by hand.</summary>
public sealed class LabelMappingTests : IDisposable
{
    private const int Void = LabelMapping.Ignored;
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Cityscapes_ids_become_train_ids_and_score_as_its_script_does()
    {
        ushort[] truth = Read("cityscapes", [7, 7, 8, 0, 26, 26, 1, 33]);
        Assert.Equal([0, 0, 1, Void, 13, 13, Void, 18], truth.Select(label => (int)label));
        // evalPixelLevelSemanticLabeling: tp / (tp + fp + fn), where what lies in void counts for none of them.
        ConfusionMatrix matrix = Score(19, truth, [0, 0, 1, 5, 13, 0, 13, 18]);
        Assert.Equal(2 / 3.0, matrix.Iou(0), 1e-12);
        Assert.Equal(1, matrix.Iou(1));
        Assert.Equal(1 / 2.0, matrix.Iou(13), 1e-12);
        Assert.Equal((2 / 3.0 + 1 + 0.5 + 1) / 4, matrix.MeanIou, 1e-12);
        Assert.Equal(2, matrix.Ignored);
    }

    /// <summary>As they are distributed beside, or instead of, the numbers.</summary>
    [Theory]
    [InlineData("cityscapes", "a_gtFine_color.png", 19, 0x000000)]
    [InlineData("cityscapes", "a_gtFine_color.png", 19, 0x6F4A00)]
    [InlineData("voc", "a.png", 21, 0xE0E0C0)]
    public void Label_maps_of_a_data_set_s_own_colours_are_read(string name, string file, int classes, int border)
    {
        var dataset = Dataset.ByName(name);
        Palette palette = name == "voc" ? Palette.Voc : Palette.Cityscapes;
        using (var image = new Image(1, classes + 1, 3))
        {
            for (int i = 0; i <= classes; i++)
            {
                (image.Pixels[3 * i], image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]) =
                    i < classes ? palette[i] : Rgb.FromHex(border);
            }
            image.SavePng(_place[file]);
        }
        Assert.Contains(dataset.LabelSuffixes, suffix => file.EndsWith(suffix, StringComparison.Ordinal));
        var mapping = new LabelMapping(dataset.Rules, classes, 255, overRules: false);
        int[] read = [.. mapping.Read(_place[file], 1000).Labels.ToArray().Select(label => (int)label)];
        Assert.Equal([.. Enumerable.Range(0, classes), Void], read);
        // A palette's number is the label, whatever colour a program gave it.
        LabelPng.Save(_place["palette.png"], new ushort[] { 8, 12 }, 1, 2, classes, Palette.Default);
        Assert.Equal(
            name == "voc" ? [8, 12] : [1, 3], mapping.Read(_place["palette.png"], 1000).Labels.ToArray());
        // A colour that none of them has is refused.
        using (var image = new Image(1, 1, 3))
        {
            image.Pixels[0] = 1;
            image.SavePng(_place["other.png"]);
        }
        Assert.Contains("colour #010000", Assert.Throws<ImageException>(
            () => mapping.Read(_place["other.png"], 1000)).Message);
    }

    [Fact]
    public void Ade20k_loses_its_0_and_Voc_its_border()
    {
        Assert.Equal([Void, 0, 149, Void], Read("ade20k", [0, 1, 150, 255]).Select(label => (int)label));
        ushort[] truth = Read("voc", [0, 20, 15, 255]);
        Assert.Equal([0, 20, 15, Void], truth.Select(label => (int)label));
        // VOCevalseg: 100 * (gt and res) / (gt + res - both), over pixels whose truth is below 255.
        ConfusionMatrix matrix = Score(21, truth, [0, 0, 15, 7]);
        Assert.Equal(1 / 2.0, matrix.Iou(0), 1e-12);
        Assert.Equal((0.5 + 0 + 1) / 3, matrix.MeanIou, 1e-12);
    }

    [Fact]
    public void CamVid_is_read_by_colour_from_colours_and_palettes_and_by_number_from_grey()
    {
        // Sky, wall, traffic cone, lane marking, child, motorcycle, void.
        int[] colours = [0x808080, 0x40C000, 0x000040, 0xC00040, 0xC08040, 0xC000C0, 0];
        int[] expected = [0, 1, 2, 3, 9, 10, Void];
        using (var image = new Image(1, colours.Length, 3))
        {
            for (int i = 0; i < colours.Length; i++)
                (image.Pixels[3 * i], image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]) = Rgb.FromHex(colours[i]);
            image.SavePng(_place["colours.png"]);
        }
        Assert.Equal(expected, Mapping("camvid").Read(_place["colours.png"], 100).Labels.ToArray().Select(x => (int)x));
        var palette = new Palette([.. colours.Select(Rgb.FromHex)]);
        LabelPng.Save(_place["palette.png"], [0, 1, 2, 3, 4, 5, 6], 1, 7, 7, palette);
        Assert.Equal(expected, Mapping("camvid").Read(_place["palette.png"], 100).Labels.ToArray().Select(x => (int)x));
        using (var grey = new Image(1, 4, 1))
        {
            ((byte[])[0, 10, 11, 255]).CopyTo(grey.Pixels);
            grey.SavePng(_place["grey.png"]);
        }
        Assert.Equal(
            [0, 10, Void, Void], Mapping("camvid").Read(_place["grey.png"], 100).Labels.ToArray().Select(x => (int)x));
    }

    [Theory]
    [InlineData("cityscapes", 34, "label 34 (row 0, column 1) has no class")]
    [InlineData("voc", 21, "label 21 (row 0, column 1) has no class: it would be 21")]
    [InlineData("ade20k", 151, "label 151 (row 0, column 1) has no class: it would be 150")]
    public void A_label_without_a_class_is_named(string dataset, ushort label, string words)
    {
        ImageException refused = Assert.Throws<ImageException>(() => Read(dataset, [8, label]));
        Assert.Contains(words, refused.Message);
    }

    [Fact]
    public void A_label_that_the_user_names_is_left_out_though_a_rule_gives_it_a_class()
    {
        LabelRules rules = Dataset.ByName("voc").Rules;
        LabelPng.Save(_place["a.png"], [0, 1, 2], 1, 3, 256);
        var mapping = new LabelMapping(rules, 21, 1, overRules: true);
        Assert.Equal([0, Void, 2], mapping.Read(_place["a.png"], 100).Labels.ToArray().Select(label => (int)label));
    }

    [Fact]
    public void A_grey_number_of_CamVid_without_a_class_is_named()
    {
        using (var grey = new Image(1, 2, 1))
        {
            ((byte[])[0, 12]).CopyTo(grey.Pixels);
            grey.SavePng(_place["grey.png"]);
        }
        ImageException refused = Assert.Throws<ImageException>(() => Mapping("camvid").Read(_place["grey.png"], 100));
        Assert.Contains("label 12 (row 0, column 1) has no class", refused.Message);
    }

    /// <summary>The border and void are not scored, whichever label the user leaves out besides.</summary>
    [Fact]
    public void What_is_void_stays_void_where_the_user_leaves_out_another_label()
    {
        LabelPng.Save(_place["a.png"], [0, 1, 255], 1, 3, 256);
        foreach (LabelRules rules in new[] { Dataset.ByName("voc").Rules, Dataset.ClassesAndVoid })
        {
            var mapping = new LabelMapping(rules, 21, 0, overRules: true);
            Assert.Equal([Void, 1, Void], mapping.Read(_place["a.png"], 100).Labels.ToArray().Select(x => (int)x));
        }
    }

    [Fact]
    public void What_a_shift_moves_beyond_the_classes_is_what_all_others_are()
    {
        LabelPng.Save(_place["a.png"], [0, 1, 3, 9], 1, 4, 256);
        var rules = new LabelRules { Shift = -1, Rest = 2 };
        Assert.Equal(
            [Void, 0, 2, 2],
            new LabelMapping(rules, 3, 255, false).Read(_place["a.png"], 100).Labels.ToArray().Select(x => (int)x));
        Assert.Equal(2, rules.HighestClass);
        // 255 for the rest is what tables from elsewhere write for what is not scored.
        var others = new LabelRules { Labels = new Dictionary<int, int> { [0] = 0 }, Rest = 255 };
        Assert.Equal(
            [0, Void, Void, Void],
            new LabelMapping(others, 3, 255, false).Read(_place["a.png"], 100).Labels.ToArray().Select(x => (int)x));
    }

    private static ConfusionMatrix Score(int classes, ushort[] truth, ushort[] predicted)
    {
        var matrix = new ConfusionMatrix(classes, Void);
        matrix.Add(new LabelImage(truth, 2, truth.Length / 2), predicted, 2, predicted.Length / 2);
        return matrix;
    }

    private static LabelMapping Mapping(string dataset) =>
        new(Dataset.ByName(dataset).Rules, Dataset.ByName(dataset).Classes, 255, overRules: false);

    private ushort[] Read(string dataset, ushort[] labels)
    {
        LabelPng.Save(_place["labels.png"], labels, 1, labels.Length, 256);
        return Mapping(dataset).Read(_place["labels.png"], 100).Labels.ToArray();
    }
}
