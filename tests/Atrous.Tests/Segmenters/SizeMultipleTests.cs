using Atrous.Imaging;
using Atrous.Preprocessing;
using Atrous.Tensors;
using Atrous.Tests.Exporting;

namespace Atrous.Tests.Segmenters;

/// <summary>A network that takes multiples of some pixels alone, as a U-Net, and pictures of any size.</summary>
public sealed class SizeMultipleTests
{
    private const string UNet = "mmseg_deeplabv3_unet_s5-d16_80x96";

    [Theory]
    [InlineData(75, 101)]
    [InlineData(1, 17)]
    [InlineData(64, 96)]
    public void Any_picture_has_a_mask_of_its_own_size(int height, int width)
    {
        using var folder = new ExportFolder(UNet);
        using Segmenter segmenter = Segmenter.Load(folder.Model, folder.Options);
        using var photo = new Image(height, width, 3);
        new Random(1).NextBytes(photo.Pixels);
        Segmentation mask = segmenter.Segment(photo);
        Assert.Equal((height, width), (mask.Height, mask.Width));

        // What is filled up is nothing to the network, and is cut off again.
        using var preprocessor = new Preprocessor(segmenter.Info.Preprocessing);
        using NetworkInput input = preprocessor.Prepare(photo);
        Assert.Equal(
            ((height + 15) / 16 * 16, (width + 15) / 16 * 16), (input.Tensor.Shape.Height, input.Tensor.Shape.Width));
        using NetworkResult scores = segmenter.Infer(input.Tensor);
        int same = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
                same += Largest(scores.Output, y, x) == mask.Labels[y * width + x] ? 1 : 0;
        }
        Assert.InRange(same, height * width * 0.999, height * width);
    }

    [Fact]
    public void The_tool_says_that_pictures_are_filled_up()
    {
        using var folder = new ExportFolder(UNet);
        ModelInfo info = ModelInfo.Read(folder.Model, folder.Options);
        Assert.Contains("filled up to multiples of 16", info.Preprocessing.ToString(), StringComparison.Ordinal);
        Assert.Contains(info.Notes, note => note.Contains("that 16 divides", StringComparison.Ordinal));
    }

    private static int Largest(Tensor scores, int y, int x)
    {
        int classes = scores.Shape.Channels;
        return System.Numerics.Tensors.TensorPrimitives.IndexOfMax(scores.Row(0, y).Slice(x * classes, classes));
    }
}
