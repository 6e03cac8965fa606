using Atrous.Imaging;
using Atrous.Native;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Tests.Preprocessing;

public class PreprocessorTests
{
    [Fact]
    public void Normalises_with_the_framework_s_bits()
    {
        using Image image = Noise(33, 21, 3);
        using var preprocessor = new Preprocessor(PreprocessingSpec.ImageNet, threads: 2);
        using NetworkInput input = preprocessor.Prepare(image);
        Assert.Equal(new Shape(1, 21, 33, 3), input.Tensor.Shape);
        ReadOnlySpan<float> values = input.Tensor.Image<float>(0);
        for (int i = 0; i < values.Length; i++)
        {
            // torchvision: to_tensor divides by 255, normalize subtracts and divides, all in float32.
            float expected =
                (image.Pixels[i] / 255f - PreprocessingSpec.ImageNet.Mean[i % 3])
            / PreprocessingSpec.ImageNet.Std[i % 3];
            Assert.Equal(expected, values[i]);
        }
    }

    [Fact]
    public void Bgr_swaps_the_picture_s_colours_and_takes_means_in_network_order()
    {
        var spec = new PreprocessingSpec { Order = ChannelOrder.Bgr, Scale = 1, Mean = [1, 2, 3], Std = [1, 1, 2] };
        using Image image = Image.FromPixels([10, 20, 31], 1, 1);
        Assert.Equal([30, 18, 3.5f], Values(spec, image));
    }

    [Theory]
    [InlineData(1, 3, new float[] { 50, 50, 50 })]
    [InlineData(2, 3, new float[] { 50, 50, 50 })]
    [InlineData(3, 3, new float[] { 50, 60, 70 })]
    [InlineData(4, 3, new float[] { 50, 60, 70 })]
    [InlineData(3, 1, new float[] { 58 })]
    [InlineData(4, 1, new float[] { 58 })]
    [InlineData(2, 1, new float[] { 50 })]
    [InlineData(4, 4, new float[] { 50, 60, 70, 80 })]
    public void Channels_suit_the_network(int channels, int wanted, float[] expected)
    {
        ReadOnlySpan<byte> pixel = [50, 60, 70, 80];
        using Image image = Image.FromPixels(pixel[..channels], 1, 1, PixelFormats.Of(channels));
        Assert.Equal(expected, Values(Raw(wanted), image));
    }

    [Theory]
    [InlineData(3, 4, "send its four bands as an RGBA PNG")]
    [InlineData(1, 4, "send its four bands as an RGBA PNG")]
    [InlineData(3, 5, "send its 5 bands as a TIFF")]
    public void Channels_that_cannot_suit_are_refused(int channels, int wanted, string advice)
    {
        using Image image = Noise(2, 2, channels);
        using var preprocessor = new Preprocessor(Raw(wanted), threads: 1);
        Assert.Contains(advice, Assert.Throws<ImageException>(() => preprocessor.Prepare(image)).Message);
    }

    [Fact]
    public void A_letterbox_is_grey_around_the_picture()
    {
        PreprocessingSpec spec = Raw(3) with
        {
            Resize = new ResizePolicy.Letterbox(8, 8, 128),
            Filter = ResizeFilter.Bicubic,
        };
        using var image = new Image(8, 16, 3);
        image.Pixels.Fill(200);
        using var preprocessor = new Preprocessor(spec, threads: 1);
        using NetworkInput input = preprocessor.Prepare(image);
        Assert.Equal(new PictureWindow(2, 0, 4, 8), input.Plan.Window);
        for (int y = 0; y < 8; y++)
        {
            for (int x = 0; x < 8; x++)
                Assert.Equal(y is >= 2 and < 6 ? 200 : 128, input.Tensor[0, y, x, 1]);
        }
    }

    [Fact]
    public void A_batch_holds_what_single_pictures_give()
    {
        PreprocessingSpec spec = PreprocessingSpec.ImageNet with { Resize = new ResizePolicy.ShortSide(20) };
        using Image first = Noise(40, 30, 3), second = Noise(40, 30, 1), third = Noise(80, 60, 4);
        using var preprocessor = new Preprocessor(spec, threads: 3);
        using NetworkInput batch = preprocessor.Prepare(first, second, third);
        Assert.Equal(new Shape(3, 20, 26, 3), batch.Tensor.Shape);
        Image[] images = [first, second, third];
        for (int i = 0; i < images.Length; i++)
        {
            using NetworkInput single = preprocessor.Prepare(images[i]);
            Assert.Equal(single.Tensor.Image<float>(0).ToArray(), batch.Tensor.Image<float>(i).ToArray());
        }
    }

    [Fact]
    public void Pictures_of_different_plans_share_no_batch()
    {
        using Image first = Noise(4, 3, 3), second = Noise(3, 4, 3);
        using var preprocessor = new Preprocessor(PreprocessingSpec.ImageNet, threads: 1);
        Assert.Contains(
            "equal plan", Assert.Throws<ArgumentException>(() => preprocessor.Prepare(first, second)).Message);
        Assert.Throws<ArgumentException>(() => preprocessor.Prepare());
    }

    [Fact]
    public void Handles_are_given_back()
    {
        long handles = LibAtrous.LiveHandles(), buffers = PixelBuffer.LiveCount;
        using (Image image = Noise(40, 30, 3))
        using (var preprocessor = new Preprocessor(
            PreprocessingSpec.ImageNet with { Resize = new ResizePolicy.Stretch(7, 9) }))
            preprocessor.Prepare(image).Dispose();
        Assert.Throws<ArgumentException>(() => new Preprocessor(Raw(3) with { Std = [1, 0, 1] }));
        Assert.Throws<ArgumentException>(() => new Preprocessor(Raw(3) with { Std = [1] }));
        // There may be fewer: what other tests have left to the collector goes when it comes to it.
        Assert.InRange(LibAtrous.LiveHandles(), 0, handles);
        Assert.InRange(PixelBuffer.LiveCount, 0, buffers);
    }

    private static float[] Values(PreprocessingSpec spec, Image image)
    {
        using var preprocessor = new Preprocessor(spec, threads: 1);
        using NetworkInput input = preprocessor.Prepare(image);
        return input.Tensor.Image<float>(0).ToArray();
    }

    private static PreprocessingSpec Raw(int channels) => new()
    {
        Scale = 1,
        Mean = new float[channels],
        Std = [.. Enumerable.Repeat(1f, channels)],
    };

    private static Image Noise(int width, int height, int channels)
    {
        var image = new Image(height, width, channels);
        new Random(width * 31 + channels).NextBytes(image.Pixels);
        return image;
    }
}
