using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tests.Imaging;

namespace Atrous.Tests.Preprocessing;

/// <summary>Pictures of 16 bits a channel keep them up to the normalisation.</summary>
public class DeepPictureTests
{
    private const int Height = 13, Width = 19;

    public static TheoryData<int> Channels => [1, 2, 3, 4];

    [Theory]
    [MemberData(nameof(Channels))]
    public void A_png_has_the_upper_bits_and_networks_get_all(int channels)
    {
        ushort[] values = Noise(channels);
        using Image picture = Image.Load(Png(values, channels));
        Assert.Equal([.. values.Select(value => (byte)(value >> 8))], picture.Pixels.ToArray());
        Assert.Equal([.. values.Select(value => (byte)value)], picture.Lower!.Pixels.ToArray());
        int wanted = channels == 4 ? 4 : channels == 2 ? 2 : channels;
        AssertInput(picture, values, channels, wanted);
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear, 7, 9)]
    [InlineData(ResizeFilter.Bilinear, 29, 40)]
    [InlineData(ResizeFilter.Bicubic, 7, 40)]
    [InlineData(ResizeFilter.Bicubic, 13, 40)]
    [InlineData(ResizeFilter.BilinearPlain, 7, 9)]
    [InlineData(ResizeFilter.BilinearPlain, 29, 19)]
    public void Resizing_is_that_of_bytes_without_their_rounding(ResizeFilter filter, int height, int width)
    {
        ushort[] values = [.. Noise(3).Select(value => (ushort)((value >> 8) * 257))];
        PreprocessingSpec spec = Spec(3) with { Filter = filter, Resize = new ResizePolicy.Stretch(height, width) };
        using var preprocessor = new Preprocessor(spec, threads: 2);
        using Image deep = Image.Load(Png(values, 3));
        using Image bytes = Image.FromPixels(deep.Pixels, Height, Width);
        using NetworkInput one = preprocessor.Prepare(deep), other = preprocessor.Prepare(bytes);
        ReadOnlySpan<float> exact = one.Tensor.Image<float>(0), rounded = other.Tensor.Image<float>(0);
        Assert.Equal(rounded.Length, exact.Length);
        // Each of two passes rounds a byte's value by half at most, and a cubic's weights add up to 1.3 of theirs.
        const float most = (0.5f + 1.3f * 0.5f) / 255 + 1e-4f;
        for (int i = 0; i < exact.Length; i++)
            Assert.InRange(Math.Abs(exact[i] - rounded[i]), 0, most);
    }

    [Fact]
    public void What_bytes_cannot_tell_apart_reaches_the_network()
    {
        ushort[] values = [.. Enumerable.Range(0, Height * Width).Select(i => (ushort)(0x4000 + i % 256))];
        using Image picture = Image.Load(Png(values, 1));
        Assert.All(picture.Pixels.ToArray(), value => Assert.Equal(0x40, value));
        using var preprocessor = new Preprocessor(Spec(1), threads: 1);
        using NetworkInput input = preprocessor.Prepare(picture);
        Assert.Equal(Math.Min(256, values.Length), input.Tensor.Image<float>(0).ToArray().Distinct().Count());
    }

    [Fact]
    public void Grey_of_colours_is_made_of_all_bits()
    {
        ushort[] values = Noise(3);
        using Image colours = Image.Load(Png(values, 3)), grey = colours.WithChannels(1);
        for (int i = 0; i < Height * Width; i++)
        {
            double luma = 0.299 * values[3 * i] + 0.587 * values[3 * i + 1] + 0.114 * values[3 * i + 2];
            Assert.InRange((grey.Pixels[i] << 8 | grey.Lower!.Pixels[i]) - luma, -1.5, 1.5);
        }
    }

    [Fact]
    public void Parts_mirror_images_and_turned_files_keep_them()
    {
        ushort[] values = Noise(3);
        byte[] file = Png(values, 3);
        using Image picture = Image.Load(file), part = picture.Crop(2, 3, 5, 7), mirrored = picture.Mirrored();
        using Image interlaced = Image.Load(Interlaced(values, 3));
        Assert.Equal(picture.Lower!.Pixels, interlaced.Lower!.Pixels);
        Assert.Equal(picture.Pixels, interlaced.Pixels);
        AssertSamePlaces(picture, part, (y, x) => (y + 2, x + 3));
        AssertSamePlaces(picture, mirrored, (y, x) => (y, Width - 1 - x));
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        using Image turned = Image.Load(PngFile.With(file, PngFile.StartOfPixels(file), "eXIf", exif));
        AssertSamePlaces(picture, turned, (y, x) => (Height - 1 - x, y));
    }

    [Fact]
    public void Bands_of_a_file_keep_them()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("atrous-tests-").FullName, "deep.png");
        byte[] file = Png(Noise(3), 3);
        File.WriteAllBytes(path, file);
        using Image whole = Image.Load(file);
        using var bands = new PngBands(path, 1 << 20);
        foreach ((int top, int height) in new[] { (0, 6), (3, 6), (7, 6), (1, 5) })
        {
            using Image window = bands.Window(top, 4, height, 9);
            AssertSamePlaces(whole, window, (y, x) => (y + top, x + 4));
        }
    }

    [Fact]
    public void A_clear_colour_is_that_of_all_bits()
    {
        ushort[] values = [.. Enumerable.Repeat((ushort)0x1234, Height * Width)];
        values[5] = 0x1235;
        byte[] file = Png(values, 1);
        file = PngFile.With(file, PngFile.StartOfPixels(file), "tRNS", [0x12, 0x34]);
        using Image picture = Image.Load(file);
        Assert.Equal(2, picture.Channels);
        Assert.Equal((byte)0, picture.Pixels[1]);
        Assert.Equal((byte)0, picture.Lower!.Pixels[1]);
        Assert.Equal(byte.MaxValue, picture.Pixels[11]);
        Assert.Equal(byte.MaxValue, picture.Lower.Pixels[11]);
        Assert.Equal((byte)0x35, picture.Lower.Pixels[10]);
    }

    private static PreprocessingSpec Spec(int channels) => new()
    {
        Scale = 1f / 255f,
        Mean = [.. Enumerable.Repeat(0.25f, channels)],
        Std = [.. Enumerable.Repeat(1f, channels)],
    };

    private static void AssertInput(Image picture, ushort[] values, int channels, int wanted)
    {
        using var preprocessor = new Preprocessor(Spec(wanted), threads: 1);
        using NetworkInput input = preprocessor.Prepare(picture);
        float[] got = input.Tensor.Image<float>(0).ToArray();
        Assert.Equal(values.Length / channels * wanted, got.Length);
        for (int i = 0; i < got.Length; i++)
            Assert.Equal(values[i] / 257f / 255f - 0.25f, got[i]);
    }

    private static void AssertSamePlaces(Image whole, Image part, Func<int, int, (int Y, int X)> place)
    {
        for (int y = 0; y < part.Height; y++)
        {
            for (int x = 0; x < part.Width; x++)
            {
                (int row, int column) = place(y, x);
                Assert.Equal(whole.Row(row).Slice(3 * column, 3), part.Row(y).Slice(3 * x, 3));
                Assert.Equal(whole.Lower!.Row(row).Slice(3 * column, 3), part.Lower!.Row(y).Slice(3 * x, 3));
            }
        }
    }

    private static ushort[] Noise(int channels)
    {
        var values = new ushort[Height * Width * channels];
        new Random(16).NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static byte[] Png(ushort[] values, int channels)
    {
        using var writer = new PngWriter(Height, Width, ColourOf(channels), 16, [], 1);
        for (int y = 0; y < Height; y++)
        {
            for (int i = 0; i < Width * channels; i++)
                BinaryPrimitives.WriteUInt16BigEndian(writer.Row[(2 * i)..], values[y * Width * channels + i]);
            writer.WriteRow();
        }
        using var file = new MemoryStream();
        writer.End().Save(file);
        return file.ToArray();
    }

    /// <summary>Adam7: the same pixels in seven passes, each row without a filter.</summary>
    private static byte[] Interlaced(ushort[] values, int channels)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach ((int top, int left, int down, int across) in new[]
            {
                (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
            })
            {
                for (int y = top; y < Height; y += down)
                {
                    zlib.WriteByte(0);
                    for (int x = left; x < Width; x += across)
                    {
                        for (int c = 0; c < channels; c++)
                        {
                            ushort value = values[(y * Width + x) * channels + c];
                            zlib.Write([(byte)(value >> 8), (byte)value]);
                        }
                    }
                }
            }
        }
        byte[] file = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];
        byte[] header = [0, 0, 0, Width, 0, 0, 0, Height, 16, (byte)ColourOf(channels), 0, 0, 1];
        foreach ((string name, byte[] data) in new[] { ("IHDR", header), ("IDAT", packed.ToArray()), ("IEND", []) })
            file = PngFile.With(file, file.Length, name, data);
        return file;
    }

    private static PngColour ColourOf(int channels) => channels switch
    {
        1 => PngColour.Grey,
        2 => PngColour.GreyAlpha,
        3 => PngColour.Rgb,
        _ => PngColour.Rgba,
    };
}
