using Atrous.Imaging;
using Atrous.Native;

namespace Atrous.Tests.Imaging;

/// <summary>Resizing, bit for bit as Pillow 9.4 does it.</summary>
public class ResizeTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, ImageFixtures.Expected.Resized.Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_Pillow(int index)
    {
        ExpectedImage expected = ImageFixtures.Expected.Resized[index];
        ExpectedImage from = ImageFixtures.Expected.Source[expected.Channels == 1 ? "grey" : "rgb"];
        using Image source = Image.FromPixels(from.Pixels, from.Height, from.Width, PixelFormats.Of(from.Channels));
        foreach (int threads in (int[])[1, 3])
        {
            using Image resized = Resize(source, expected.Height, expected.Width, expected.Filter, threads);
            ImageFixtures.AssertEqual(expected, resized);
        }
    }

    [Theory]
    [InlineData(5, 7)]
    [InlineData(14, 3)]
    [InlineData(31, 40)]
    public void Plain_bilinear_interpolates_two_neighbours_each_way(int height, int width)
    {
        ExpectedImage from = ImageFixtures.Expected.Source["rgb"];
        using Image source = Image.FromPixels(from.Pixels, from.Height, from.Width, PixelFormats.Of(from.Channels));
        using Image resized = Resize(source, height, width, filter: 3, threads: 1);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < 3; c++)
                {
                    double exact = Interpolate(
                        from, (y + 0.5) * from.Height / height - 0.5, (x + 0.5) * from.Width / width - 0.5, c);
                    // Half for the rounding of the result, the rest for weights of 11 bits.
                    Assert.InRange(Math.Abs(exact - resized.Pixels[(y * width + x) * 3 + c]), 0, 0.65);
                }
            }
        }
    }

    [Fact]
    public void Four_bands_are_resized_each_on_its_own()
    {
        ExpectedImage grey = ImageFixtures.Expected.Source["grey"];
        using Image bands = new(grey.Height, grey.Width, 4);
        for (int i = 0; i < grey.Pixels.Length; i++)
            bands.Pixels[4 * i + 3] = grey.Pixels[i];
        ExpectedImage expected =
            ImageFixtures.Expected.Resized.First(e => e.Channels == 1 && e.Filter == 1 && e.Height == 7);
        using Image resized = Resize(bands, expected.Height, expected.Width, filter: 1, threads: 1);
        for (int i = 0; i < expected.Pixels.Length; i++)
            Assert.Equal([0, 0, 0, expected.Pixels[i]], resized.Pixels.Slice(4 * i, 4).ToArray());
    }

    [Fact]
    public void Nonsense_is_refused()
    {
        using var engine = new EngineHandle(1);
        using var rgb = new Image(4, 4, 3);
        using var grey = new Image(2, 2, 1);
        Assert.Throws<ArgumentException>(() => Resize(engine, rgb, grey, 0));
        Assert.Throws<ArgumentException>(() => Resize(engine, rgb, rgb, 4));
    }

    private static Image Resize(Image source, int height, int width, int filter, int threads)
    {
        using var engine = new EngineHandle(threads);
        var resized = new Image(height, width, source.Channels);
        Resize(engine, source, resized, filter);
        return resized;
    }

    private static void Resize(EngineHandle engine, Image source, Image target, int filter)
    {
        using PixelLease from = source.Lease(), to = target.Lease();
        LibAtrous.ThrowIfFailed(LibAtrous.ImageResize(engine, in from.Image, filter, in to.Image));
    }

    private static double Interpolate(ExpectedImage image, double y, double x, int c)
    {
        y = Math.Clamp(y, 0, image.Height - 1);
        x = Math.Clamp(x, 0, image.Width - 1);
        int top = (int)y, left = (int)x, bottom = Math.Min(top + 1, image.Height - 1),
            right = Math.Min(left + 1, image.Width - 1);
        double above = At(top, left) * (left + 1 - x) + At(top, right) * (x - left);
        double below = At(bottom, left) * (left + 1 - x) + At(bottom, right) * (x - left);
        return above * (top + 1 - y) + below * (y - top);

        double At(int row, int column) => image.Pixels[(row * image.Width + column) * 3 + c];
    }
}
