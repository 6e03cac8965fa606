using System.Buffers.Binary;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Tests.Postprocessing;

public class LabelMapTests
{
    private static readonly Palette Colours = new([new Rgb(0, 0, 0), new Rgb(255, 0, 0), new Rgb(0, 100, 200)]);

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(0.6)]
    [InlineData(1)]
    public void Overlay_blends_by_opacity(double opacity)
    {
        using Image photo = Image.FromPixels([10, 20, 30, 40, 50, 60, 70, 80, 90], 1, 3);
        ushort[] labels = [0, 1, 2];
        using Image overlay = Overlay.Draw(photo, labels, Colours, opacity);
        for (int i = 0; i < 9; i++)
        {
            Rgb colour = Colours[labels[i / 3]];
            double mask = new[] { colour.Red, colour.Green, colour.Blue }[i % 3];
            Assert.InRange(overlay.Pixels[i] - (photo.Pixels[i] * (1 - opacity) + mask * opacity), -1, 1);
        }
    }

    [Fact]
    public void Overlay_leaves_the_clear_class_alone()
    {
        using Image photo = Image.FromPixels([10, 200, 30, 100], 1, 2, PixelFormat.GreyAlpha);
        using Image overlay = Overlay.Draw(photo, [0, 1], Colours, opacity: 1, clearLabel: 0);
        Assert.Equal<byte>([10, 10, 10, 255, 0, 0], overlay.Pixels.ToArray());
        using Image colours = Overlay.Colours([2, 1], 1, 2, Colours);
        Assert.Equal<byte>([0, 100, 200, 255, 0, 0], colours.Pixels.ToArray());
    }

    [Fact]
    public void Overlay_refuses_what_does_not_fit()
    {
        using var photo = new Image(2, 2, 3);
        Assert.Throws<ArgumentException>(() => Overlay.Draw(photo, new ushort[3], Colours));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Overlay.Draw(photo, new ushort[4], Colours, opacity: double.NaN));
    }

    [Fact]
    public void Up_to_256_classes_the_file_is_an_indexed_png()
    {
        byte[] file = Save([0, 1, 2, 1, 0, 2], 2, 3, classes: 3);
        (byte depth, byte colourType) = (file[24], file[25]);
        Assert.Equal((8, 3), (depth, colourType));
        int palette = file.AsSpan().IndexOf("PLTE"u8);
        Assert.Equal(9, BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(palette - 4)));
        using Image image = Image.Load(file);
        Assert.Equal<byte>([0, 0, 0, 255, 0, 0, 0, 100, 200, 255, 0, 0, 0, 0, 0, 0, 100, 200], image.Pixels.ToArray());
    }

    [Fact]
    public void Beyond_256_classes_the_file_is_16_bit_grey()
    {
        byte[] file = Save([0, 257, 0x1234, 1], 2, 2, classes: 0x1235);
        Assert.Equal((16, 0), (file[24], file[25]));
        using Image image = Image.Load(file);  // which keeps the upper 8 bits
        Assert.Equal<byte>([0, 1, 0x12, 0], image.Pixels.ToArray());
    }

    [Fact]
    public void Labels_that_are_no_class_are_refused()
    {
        Assert.Contains(
            "Label 3 is none of 3", Assert.Throws<ArgumentException>(() => Save([0, 3], 1, 2, classes: 3)).Message);
        Assert.Throws<ArgumentException>(() => Save([0, 3], 2, 2, classes: 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Save([0], 1, 1, classes: 65537));
    }

    [Fact]
    public void Shares_are_counted_largest_first()
    {
        Assert.Equal(
            [new ClassShare(2, 2, 0.4), new ClassShare(7, 2, 0.4), new ClassShare(65535, 1, 0.2)],
            ClassShare.Of([7, 2, 65535, 2, 7]));
        Assert.Empty(ClassShare.Of([]));
    }

    private static byte[] Save(ushort[] labels, int height, int width, int classes)
    {
        using var stream = new MemoryStream();
        LabelPng.Save(stream, labels, height, width, classes, Colours);
        return stream.ToArray();
    }
}
