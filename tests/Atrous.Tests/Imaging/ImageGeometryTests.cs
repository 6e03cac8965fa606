using Atrous.Imaging;

namespace Atrous.Tests.Imaging;

/// <summary>Parts and mirror images.</summary>
public sealed class ImageGeometryTests
{
    private static readonly byte[] Pixels = [.. Enumerable.Range(0, 2 * 3 * 3).Select(i => (byte)i)];

    [Fact]
    public void A_part_has_its_pixels()
    {
        using Image image = Image.FromPixels(Pixels, 2, 3), part = image.Crop(1, 1, 1, 2);
        Assert.Equal((1, 2, 3), (part.Height, part.Width, part.Channels));
        Assert.Equal(Pixels[12..], part.Pixels.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Crop(1, 0, 2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Crop(0, -1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Crop(0, 0, 0, 1));
    }

    [Fact]
    public void A_mirror_image_exchanges_left_and_right()
    {
        using Image image = Image.FromPixels(Pixels, 2, 3), mirrored = image.Mirrored(), twice = mirrored.Mirrored();
        Assert.Equal([6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11], mirrored.Pixels.ToArray());
        Assert.Equal(Pixels, twice.Pixels.ToArray());
    }
}
