using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Native;
using Atrous.Preprocessing;
using Atrous.Specs;

namespace Atrous.Tests.Imaging;

/// <summary>Pictures from memory: every order of channels, any row stride, with and without a copy.</summary>
public sealed class PixelFormatTests
{
    private const int Height = 5, Width = 7;

    /// <summary>The channels of each format, as indices of red, green, blue and alpha; grey is red.</summary>
    private static readonly Dictionary<PixelFormat, int[]> Orders = new()
    {
        [PixelFormat.Grey] = [0],
        [PixelFormat.GreyAlpha] = [0, 3],
        [PixelFormat.Rgb] = [0, 1, 2],
        [PixelFormat.Bgr] = [2, 1, 0],
        [PixelFormat.Rgba] = [0, 1, 2, 3],
        [PixelFormat.Bgra] = [2, 1, 0, 3],
    };

    public static TheoryData<PixelFormat, int> Cases()
    {
        var cases = new TheoryData<PixelFormat, int>();
        foreach (PixelFormat format in Enum.GetValues<PixelFormat>())
        {
            cases.Add(format, 0);
            cases.Add(format, 9);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void All_that_reads_a_picture_knows_its_format_and_its_stride(PixelFormat format, int gap)
    {
        using Image plain = Image.FromPixels(Bytes(format, 0), Height, Width, format);
        Assert.Equal(format, plain.Format);
        foreach (Image picture in InMemory(format, gap))
        {
            using Image image = picture;
            Assert.Equal((Height, Width, format.Channels()), (image.Height, image.Width, image.Channels));
            foreach (int channels in new[] { 1, 2, 3, 4 })
            {
                using Image converted = image.WithChannels(channels);
                Assert.Equal(PixelFormats.Of(channels), converted.Format);
                Assert.Equal(Expected(format, channels), converted.Pixels.ToArray());
            }
            Assert.Equal(Saved(stream => plain.SavePng(stream)), Saved(stream => image.SavePng(stream)));
            Assert.Equal(Saved(stream => plain.SaveJpeg(stream)), Saved(stream => image.SaveJpeg(stream)));
            using Image decoded = Image.Load(Saved(stream => image.SavePng(stream)));
            Assert.Equal(Expected(format, image.Channels), decoded.Pixels.ToArray());

            using Image part = image.Crop(1, 2, 3, 4), partOfPlain = plain.Crop(1, 2, 3, 4);
            Assert.Equal(partOfPlain.Pixels.ToArray(), part.Pixels.ToArray());
            using Image mirrored = image.Mirrored(), mirrorOfPlain = plain.Mirrored();
            Assert.Equal(mirrorOfPlain.Pixels.ToArray(), mirrored.Pixels.ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_network_is_given_the_same_numbers(PixelFormat format, int gap)
    {
        using Image rgb = Image.FromPixels(Expected(format, 3), Height, Width);
        foreach (PreprocessingSpec spec in new[]
        {
            PreprocessingSpec.ImageNet,
            PreprocessingSpec.ImageNet with { Order = ChannelOrder.Bgr, Resize = new ResizePolicy.Stretch(11, 9) },
        })
        {
            using var preprocessor = new Preprocessor(spec, threads: 1);
            using NetworkInput expected = preprocessor.Prepare(rgb);
            foreach (Image picture in InMemory(format, gap))
            {
                using Image image = picture;
                using NetworkInput input = preprocessor.Prepare(image);
                Assert.Equal(expected.Tensor.Image<float>(0).ToArray(), input.Tensor.Image<float>(0).ToArray());
            }
        }
    }

    [Fact]
    public void The_owner_is_let_go_when_no_run_reads_the_picture_any_more()
    {
        var owner = new Owner(12);
        Image image = Image.FromPixels(owner.Address, 2, 2, PixelFormat.Rgb, 0, owner);
        PixelLease reading = image.Lease();
        image.Dispose();
        Assert.False(owner.Disposed);
        reading.Dispose();
        Assert.True(owner.Disposed);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(8)]
    public unsafe void Rows_that_lie_bottom_up_are_turned(int stride)
    {
        byte[] bytes = [.. Enumerable.Range(0, 3 * stride).Select(i => (byte)i)];
        byte[] expected = [.. new[] { 2, 1, 0 }.SelectMany(y => bytes.Skip(y * stride).Take(6))];
        using Image span = Image.FromPixels(bytes, 3, 2, PixelFormat.Bgr, -stride);
        Assert.Equal(expected, span.Pixels.ToArray());
        var owner = new Owner(bytes.Length);
        Marshal.Copy(bytes, 0, owner.Address, bytes.Length);
        using Image pointer = Image.FromPixels(owner.Address + 2 * stride, 3, 2, PixelFormat.Bgr, -stride, owner);
        Assert.Equal(expected, pointer.Pixels.ToArray());
        Assert.True(owner.Disposed);
        Assert.Throws<ArgumentException>(() => Image.FromPixels(bytes, 3, 2, PixelFormat.Bgr, -5));
        Assert.Throws<ArgumentException>(() => Image.FromPixels(bytes, 3, 2, PixelFormat.Bgr, int.MinValue));
    }

    [Fact]
    public void Pixels_that_are_not_there_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Image.FromPixels(new byte[11], 2, 2));
        Assert.Throws<ArgumentException>(() => Image.FromPixels(new byte[13], 2, 2));
        Assert.Throws<ArgumentException>(() => Image.FromPixels(new byte[12], 2, 2, PixelFormat.Rgb, 5));
        Assert.Throws<ArgumentException>(() => Image.FromPixels(new byte[13], 2, 2, PixelFormat.Rgb, 8));
        Assert.Throws<ArgumentException>(() => Image.FromPixels(0, 2, 2, PixelFormat.Rgb, 0, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.FromPixels(new byte[12], 2, 2, (PixelFormat)6));
        // The gap after the last row may be there or not.
        Image.FromPixels(new byte[14], 2, 2, PixelFormat.Rgb, 8).Dispose();
        Image.FromPixels(new byte[16], 2, 2, PixelFormat.Rgb, 8).Dispose();
        using Image image = new Image(2, 3, PixelFormat.Bgr);
        Assert.Equal(9, image.Row(1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = image.Row(2); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = image.Row(-1); });
        var owner = new Owner(16);
        using Image gaps = Image.FromPixels(owner.Address, 2, 2, PixelFormat.Rgb, 8, owner);
        Assert.Throws<InvalidOperationException>(() => { _ = gaps.Pixels; });
    }

    /// <summary>The picture copied from a span, and where it lies.</summary>
    private static IEnumerable<Image> InMemory(PixelFormat format, int gap)
    {
        byte[] bytes = Bytes(format, gap);
        int stride = Width * format.Channels() + gap;
        yield return Image.FromPixels(bytes, Height, Width, format, stride);
        var owner = new Owner(bytes.Length);
        Marshal.Copy(bytes, 0, owner.Address, bytes.Length);
        yield return Image.FromPixels(owner.Address, Height, Width, format, stride, owner);
    }

    /// <summary>Channel c of pixel i: any byte that tells all of them apart.</summary>
    private static byte Value(int pixel, int channel) => (byte)(pixel * 29 + channel * 71 + 13);

    private static byte[] Bytes(PixelFormat format, int gap)
    {
        int[] order = Orders[format];
        byte[] bytes = new byte[Height * (Width * order.Length + gap)];
        Array.Fill<byte>(bytes, 0xEE);
        for (int pixel = 0; pixel < Height * Width; pixel++)
        {
            int at = pixel * order.Length + pixel / Width * gap;
            for (int c = 0; c < order.Length; c++)
                bytes[at + c] = Value(pixel, order[c]);
        }
        return bytes;
    }

    private static byte[] Expected(PixelFormat format, int channels)
    {
        bool colour = Orders[format].Length >= 3, alpha = Orders[format].Contains(3);
        return [.. Enumerable.Range(0, Height * Width).SelectMany(Pixel)];

        IEnumerable<byte> Pixel(int pixel)
        {
            (byte red, byte green, byte blue) = colour
                ? (Value(pixel, 0), Value(pixel, 1), Value(pixel, 2))
                : (Value(pixel, 0), Value(pixel, 0), Value(pixel, 0));
            byte luma = (byte)((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
            byte[] values = channels >= 3 ? [red, green, blue] : [colour ? luma : red];
            return channels % 2 == 0 ? values.Append(alpha ? Value(pixel, 3) : byte.MaxValue) : values;
        }
    }

    private static byte[] Saved(Action<Stream> save)
    {
        using var stream = new MemoryStream();
        save(stream);
        return stream.ToArray();
    }

    private sealed class Owner(int bytes) : IDisposable
    {
        public nint Address { get; } = Marshal.AllocHGlobal(bytes);

        public bool Disposed { get; private set; }

        public void Dispose()
        {
            Disposed = true;
            Marshal.FreeHGlobal(Address);
        }
    }
}
