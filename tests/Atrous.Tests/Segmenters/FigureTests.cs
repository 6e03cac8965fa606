using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Tests.Segmenters;

/// <summary>Masks as pictures for people: what is drawn, and where.</summary>
public sealed class FigureTests
{
    private const int Side = 120;

    private readonly Image _photo = new(Side, Side, 3);
    private readonly Segmentation _mask;

    public FigureTests()
    {
        _photo.Pixels.Fill(100);
        var labels = new ushort[Side * Side];
        labels.AsSpan(Side * Side / 2).Fill(1);
        labels.AsSpan(0, 10).Fill(2);
        _mask = Segmentation.FromLabels(labels, Side, Side, 3, ["background", "road", "car"]);
    }

    [Fact]
    public void A_legend_has_a_row_for_each_class()
    {
        using Image figure = _mask.Figure(_photo, new() { Opacity = 1 });
        using Image overlay = _mask.Overlay(_photo, opacity: 1);
        Assert.True(figure.Width > Side + 60, $"{figure.Width}");
        Assert.Equal(Side, figure.Height);
        for (int y = 0; y < Side; y++)
            Assert.Equal(overlay.Row(y), figure.Row(y)[..(3 * Side)]);
        // Swatches of the colours, and letters that are darker than any swatch.
        HashSet<(byte, byte, byte)> colours = ColoursOf(figure, Side);
        Assert.Contains(Triple(_mask.Palette[1]), colours);
        Assert.Contains(Triple(_mask.Palette[2]), colours);
        Assert.Contains(colours, colour => colour is ( < 60, < 60, < 60));
    }

    [Fact]
    public void Side_by_side_begins_with_the_photo()
    {
        using Image figure = _mask.Figure(_photo, new() { SideBySide = true, Legend = false });
        Assert.InRange(figure.Width, 2 * Side, 2 * Side + 40);
        Assert.All(figure.Row(Side - 1)[..(3 * Side)].ToArray(), value => Assert.Equal(100, value));
        Assert.Contains(figure.Row(Side - 1)[(3 * figure.Width - 3 * Side)..].ToArray(), value => value != 100);
    }

    [Fact]
    public void Outlines_are_along_the_edges_alone()
    {
        using Image figure = _mask.Figure(_photo, new() { Outlines = true, Legend = false });
        Assert.Equal((Side, Side), (figure.Height, figure.Width));
        for (int y = 20; y < Side; y++)
        {
            Span<byte> pixel = figure.Row(y).Slice(3 * 60, 3);
            // The background has no line of its own.
            (byte, byte, byte) expected = y == Side / 2 ? Triple(_mask.Palette[1]) : ((byte)100, (byte)100, (byte)100);
            Assert.Equal(expected, (pixel[0], pixel[1], pixel[2]));
        }
    }

    [Fact]
    public void Many_classes_are_counted()
    {
        ushort[] labels = [.. Enumerable.Range(0, 60 * 60).Select(i => (ushort)(i % 60))];
        Segmentation mask = Segmentation.FromLabels(labels, 60, 60, 60);
        using var photo = new Image(60, 60, 4);
        using Image figure = mask.Figure(photo);
        Assert.InRange(figure.Height, 300, 700);
    }

    private static (byte, byte, byte) Triple(Rgb colour) => (colour.Red, colour.Green, colour.Blue);

    private static HashSet<(byte, byte, byte)> ColoursOf(Image image, int left)
    {
        var colours = new HashSet<(byte, byte, byte)>();
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = left; x < image.Width; x++)
            {
                Span<byte> pixel = image.Row(y).Slice(3 * x, 3);
                colours.Add((pixel[0], pixel[1], pixel[2]));
            }
        }
        return colours;
    }
}
