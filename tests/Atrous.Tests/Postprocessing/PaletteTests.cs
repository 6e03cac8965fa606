using Atrous.Postprocessing;

namespace Atrous.Tests.Postprocessing;

public class PaletteTests
{
    [Fact]
    public void Default_colours_are_distinct_and_fixed()
    {
        IReadOnlyList<Rgb> colours = Palette.Default.Colours;
        Assert.Equal(256, colours.Count);
        Assert.Equal(256, colours.Distinct().Count());
        Assert.Equal("#000000", colours[0].ToString());
        Assert.Equal("#e69f00", colours[1].ToString());
        // The first two that are computed: a change here changes every picture that users already have.
        Assert.Equal("#00ff00 #ff00ff", $"{colours[21]} {colours[22]}");
    }

    [Fact]
    public void Ade20k_has_its_own_colours()
    {
        string[] names = ["wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed ", .. Enumerable
            .Range(8, 142).Select(label => $"{label}")];
        Assert.Same(Palette.Ade20k, Palette.For(names));
        Assert.Equal(
            (150, Rgb.FromHex(0x787878), Rgb.FromHex(0x06E6E6), Rgb.FromHex(0x5C00FF)),
            (Palette.Ade20k.Colours.Count, Palette.Ade20k[0], Palette.Ade20k[2], Palette.Ade20k[149]));
        Assert.NotSame(Palette.Ade20k, Palette.For(names[..149]));
    }

    [Fact]
    public void Only_a_background_is_black()
    {
        Assert.Same(Palette.Default, Palette.For([]));
        Assert.Same(Palette.Default, Palette.For(["background", "aeroplane"]));
        Palette street = Palette.For(["sky", "building", "pole"]);
        Assert.Equal(Palette.Default[1], street[0]);
        Assert.Equal(Palette.Default[3], street[2]);
        string[] cityscapes = ["road", "sidewalk", .. Enumerable.Range(2, 17).Select(label => $"class {label}")];
        Assert.Same(Palette.Cityscapes, Palette.For(cityscapes));
        Assert.NotSame(Palette.Cityscapes, Palette.For(["road", "sidewalk"]));
    }

    [Fact]
    public void Voc_colours_are_those_of_the_development_kit()
    {
        string[] expected =
            ["#000000", "#800000", "#008000", "#808000", "#000080", "#800080", "#008080", "#808080", "#400000"];
        Assert.Equal(expected, Palette.Voc.Colours.Take(9).Select(colour => colour.ToString()));
        Assert.Equal("#004080", Palette.Voc[20].ToString());
        Assert.Equal("#e0e0c0", Palette.Voc[255].ToString());
    }

    [Fact]
    public void Classes_beyond_the_last_start_over()
    {
        Assert.Equal(Palette.Cityscapes[0], Palette.Cityscapes[19]);
        Palette named = Palette.Cityscapes.WithNames(["road"]);
        Assert.Equal("road", named.NameOf(0));
        Assert.Null(named.NameOf(1));
        Assert.Throws<ArgumentException>(() => new Palette([]));
    }
}
