using Atrous.Cuda.Tests.Support;
using Atrous.Imaging;
using Atrous.ManagedCuda;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Specs;
using Atrous.Tests.Segmenters;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>Pictures in the GPU's memory have the masks of the same pictures on the host.</summary>
public sealed class DevicePointerTests(GeneratedModel model)
{
    private const int Height = 49, Width = 65;

    [Theory]
    [InlineData(PixelFormat.Rgb, 0, false)]
    [InlineData(PixelFormat.Bgra, 37, false)]
    [InlineData(PixelFormat.Rgb, 5, true)]
    public void Labels_are_those_of_the_picture_on_the_host(PixelFormat format, int gap, bool resized)
    {
        int channels = format == PixelFormat.Bgra ? 4 : 3, stride = Width * channels + gap;
        byte[] bytes = Bytes(Height * stride);
        using Segmenter segmenter = Load(new SegmenterOptions
        {
            Device = "cuda",
            Preprocessing = PreprocessingSpec.ImageNet with
            {
                Resize = resized ? new ResizePolicy.LongSide(40, false) : new ResizePolicy.None(),
            },
        });
        using Image photo = Image.FromPixels(bytes, Height, Width, format, stride);
        var expected = new byte[Height * Width];
        segmenter.Segment(photo).CopyLabels(expected);
        using var context = new PrimaryContext();
        using var pixels = new CudaDeviceVariable<byte>(context, bytes.Length);
        using var labels = new CudaDeviceVariable<byte>(context, expected.Length);
        using var stream = new CudaStream(context);
        pixels.CopyToDevice(bytes);
        // Step by step, captured, and again.
        for (int run = 0; run < 3; run++)
        {
            labels.CopyToDevice(new byte[expected.Length]);
            segmenter.SegmentOnDevice(
                Address(pixels), Height, Width, format, stride, Address(labels), stream.Stream.Pointer);
            var seen = new byte[expected.Length];
            labels.CopyToHost(seen);
            Assert.Equal(expected, seen);
        }
        // The host's way is as it was.
        Assert.Equal(expected.Select(label => (ushort)label), segmenter.Segment(photo).Labels.ToArray());
    }

    [Fact]
    public void What_is_in_the_stream_comes_first()
    {
        SoftwareDevice.Require();
        byte[] bytes = Bytes(Height * Width * 3);
        using Segmenter segmenter = Load(new SegmenterOptions { Device = "cuda" });
        using Image photo = Image.FromPixels(bytes, Height, Width, PixelFormat.Rgb);
        var expected = new byte[Height * Width];
        segmenter.Segment(photo).CopyLabels(expected);
        using var context = new PrimaryContext();
        using var host = new CudaPageLockedHostMemory<byte>(context, bytes.Length);
        using var pixels = new CudaDeviceVariable<byte>(context, bytes.Length);
        using var labels = new CudaDeviceVariable<byte>(context, expected.Length);
        using var stream = new CudaStream(context);
        bytes.CopyTo(host.Span);
        pixels.CopyToDevice(new byte[bytes.Length]);
        segmenter.SegmentOnDevice(Address(pixels), Height, Width, PixelFormat.Rgb, Width * 3, Address(labels));
        SoftwareDevice.SetDelay(2000);
        using (context.Enter())
        {
            // Some work that takes a while, and then the pixels.
            for (int i = 0; i < 20; i++)
                labels.MemsetAsync((byte)i, stream);
            pixels.AsyncCopyToDevice(host, bytes.Length, stream);
        }
        segmenter.SegmentOnDevice(
            Address(pixels), Height, Width, PixelFormat.Rgb, Width * 3, Address(labels), stream.Stream.Pointer);
        SoftwareDevice.SetDelay(0);
        var seen = new byte[expected.Length];
        labels.CopyToHost(seen);
        Assert.Equal(expected, seen);
    }

    [Fact]
    public void Addresses_that_are_not_the_gpu_s_and_sizes_that_do_not_fit_are_refused()
    {
        SoftwareDevice.Require();
        using Segmenter segmenter = Load(new SegmenterOptions { Device = "cuda" });
        using var context = new PrimaryContext();
        using var memory = new CudaDeviceVariable<byte>(context, Height * Width * 3);
        using var labels = new CudaDeviceVariable<byte>(context, Height * Width);
        nint pixels = Address(memory), to = Address(labels);
        foreach ((nint from, int height, int stride, nint place, string what) in
            ((nint, int, int, nint, string)[])
            [
                (0, Height, Width * 3, to, "picture"), (4096, Height, Width * 3, to, "picture"),
                (pixels + 1, Height, Width * 3, to, "picture"), (pixels, Height + 1, Width * 3, to, "picture"),
                (pixels, Height, Width * 3 + 1, to, "picture"), (pixels, Height, Width * 3, 0, "memory for the labels"),
                (pixels, Height, Width * 3, to + 1, "memory for the labels"),
            ])
        {
            ArgumentException e = Assert.Throws<ArgumentException>(
                () => segmenter.SegmentOnDevice(from, height, Width, PixelFormat.Rgb, stride, place));
            Assert.Matches($"^The {what} at 0x[0-9a-f]+ is not [0-9]+ bytes in the memory of cuda:0\\.$", e.Message);
        }
        Assert.Throws<ArgumentOutOfRangeException>(
            () => segmenter.SegmentOnDevice(pixels, Height, Width, PixelFormat.Rgb, Width * 3 - 1, to));
        segmenter.SegmentOnDevice(pixels, Height, Width, PixelFormat.Rgb, Width * 3, to);
        SoftwareDevice.Reset();
    }

    [Fact]
    public void What_the_network_alone_does_not_make_is_refused_in_a_sentence()
    {
        foreach (SegmenterOptions options in (SegmenterOptions[])
        [
            new() { Device = "cpu" }, new() { Device = "cuda", Window = new SlidingWindow(65) },
            new() { Device = "cuda", Crf = DenseCrfParameters.PyDenseCrf },
            new() { Device = "cuda", Augmentation = new TestTimeAugmentation([1], true) },
        ])
        {
            using Segmenter segmenter = Load(options);
            UnavailableException e = Assert.Throws<UnavailableException>(
                () => segmenter.SegmentOnDevice(4096, Height, Width, PixelFormat.Rgb, Width * 3, 4096));
            Assert.EndsWith(".", e.Message);
        }
    }

    private static nint Address(CudaDeviceVariable<byte> memory) => (nint)memory.DevicePointer.Pointer;

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(5).NextBytes(bytes);
        return bytes;
    }

    private Segmenter Load(SegmenterOptions options) => Segmenter.Load(model.Path, options);
}
