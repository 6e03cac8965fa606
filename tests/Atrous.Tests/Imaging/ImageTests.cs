using Atrous.Imaging;
using Atrous.Native;

namespace Atrous.Tests.Imaging;

public sealed class ImageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-images-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_png_keeps_every_byte(int channels)
    {
        using Image image = Noise(37, 23, channels);
        string path = Path.Combine(_folder, "noise.png");
        image.SavePng(path);
        using Image read = Image.Load(path);
        Assert.Equal((37, 23, channels), (read.Width, read.Height, read.Channels));
        Assert.Equal(image.Pixels.ToArray(), read.Pixels.ToArray());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 3)]
    [InlineData(4, 3)]
    public void A_jpeg_comes_close_and_drops_alpha(int channels, int kept)
    {
        using Image image = Smooth(64, 48, channels);
        using var stream = new MemoryStream();
        image.SaveJpeg(stream, quality: 95);
        stream.Position = 0;
        using Image read = Image.Load(stream);
        Assert.Equal((64, 48, kept), (read.Width, read.Height, read.Channels));
        using Image opaque = image.WithChannels(kept);
        int worst = 0;
        for (int i = 0; i < read.Pixels.Length; i++)
            worst = Math.Max(worst, Math.Abs(read.Pixels[i] - opaque.Pixels[i]));
        Assert.InRange(worst, 0, 8);
    }

    [Fact]
    public void Handles_are_given_back()
    {
        long handles = LibAtrous.LiveHandles(), buffers = PixelBuffer.LiveCount;
        using (Image image = Noise(9, 9, 3))
        using (var stream = new MemoryStream())
        {
            image.SaveJpeg(stream);
            stream.Position = 0;
            using Image read = Image.Load(stream);
            Assert.InRange(LibAtrous.LiveHandles(), 0, handles);
            Assert.InRange(PixelBuffer.LiveCount, 2, buffers + 2);
        }
        // There may be fewer: what other tests have left to the collector goes when it comes to it.
        Assert.InRange(LibAtrous.LiveHandles(), 0, handles);
        Assert.InRange(PixelBuffer.LiveCount, 0, buffers);
    }

    [Fact]
    public void A_disposed_picture_says_so()
    {
        Image image = Noise(2, 2, 3);
        image.Dispose();
        image.Dispose();
        Assert.Throws<ObjectDisposedException>(() => image.Pixels.Length);
        Assert.Throws<ObjectDisposedException>(() => image.SavePng(new MemoryStream()));
    }

    [Fact]
    public void Failures_of_files_are_sentences()
    {
        string missing = Path.Combine(_folder, "none.jpg");
        Assert.Equal($"{missing}: there is no such file; check the path.", Message(() => Image.Load(missing)));
        Assert.Equal($"{_folder}: this is a folder; name a picture in it.", Message(() => Image.Load(_folder)));

        string text = Path.Combine(_folder, "text.png");
        File.WriteAllText(text, "not a picture");
        Assert.Equal(
            $"{text}: this is neither a JPEG nor a PNG, WebP, GIF, BMP or TIFF; convert it to one.",
            Message(() => Image.Load(text)));
        File.WriteAllText(text, "");
        Assert.Equal($"{text}: the file is empty; send a JPEG or PNG.", Message(() => Image.Probe(text)));

        string cut = Path.Combine(_folder, "cut.jpg");
        File.WriteAllBytes(cut, ImageFixtures.BytesOf("rgb420.jpg")[..^100]);
        Assert.Equal($"{cut}: the JPEG ends early; send the whole file.", Message(() => Image.Load(cut)));

        using Image image = Noise(2, 2, 3);
        string nowhere = Path.Combine(_folder, "no", "such.png");
        Assert.Equal(
            $"{nowhere}: its folder does not exist; create it first.",
            Assert.Throws<OutputException>(() => image.SavePng(nowhere)).Message);
        using var wide = new Image(1, 65501, 1);
        Assert.Contains("save a PNG", Message(() => wide.SaveJpeg(new MemoryStream())));
    }

    [Fact]
    public void Arguments_are_checked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Image(1, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Image(-1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Image(1, 1, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Image(1 << 16, 1 << 16, 1));
        Assert.Throws<ArgumentException>(() => Image.FromPixels(new byte[11], 2, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.Load(ImageFixtures.BytesOf("rgb8.png"), maxPixels: 0));
        using Image image = Noise(2, 2, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => image.SaveJpeg(new MemoryStream(), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.SavePng(new MemoryStream(), 10));
    }

    [Fact]
    public void Channels_convert_as_Pillow_converts_them()
    {
        // Image.fromarray(...).convert("L") of these three pixels with Pillow 9.4.
        using Image rgb = Image.FromPixels([10, 200, 30, 255, 255, 255, 1, 2, 3], 1, 3);
        using Image grey = rgb.WithChannels(1);
        Assert.Equal<byte>([124, 255, 2], grey.Pixels.ToArray());
        using Image back = grey.WithChannels(4);
        Assert.Equal<byte>([124, 124, 124, 255, 255, 255, 255, 255, 2, 2, 2, 255], back.Pixels.ToArray());
        using Image alpha = Image.FromPixels([7, 100, 8, 200], 1, 2, PixelFormat.GreyAlpha);
        using Image colour = alpha.WithChannels(4);
        Assert.Equal<byte>([7, 7, 7, 100, 8, 8, 8, 200], colour.Pixels.ToArray());
    }

    private static string Message(Action action) => Assert.Throws<ImageException>(action).Message;

    private static Image Noise(int width, int height, int channels)
    {
        var image = new Image(height, width, channels);
        new Random(width).NextBytes(image.Pixels);
        return image;
    }

    private static Image Smooth(int width, int height, int channels)
    {
        var image = new Image(height, width, channels);
        for (int i = 0; i < image.Pixels.Length; i++)
            image.Pixels[i] = (byte)(i / channels % width + i / channels / width);
        return image;
    }
}
