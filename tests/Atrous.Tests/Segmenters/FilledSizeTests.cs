using Atrous.Imaging;
using Atrous.Specs;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Segmenters;

/// <summary>Pictures whose sides are filled up to a multiple have the mask that the filled picture has there.</summary>
public sealed class FilledSizeTests(GeneratedModel model)
{
    private const int Height = 33, Width = 71, Multiple = 32, FilledHeight = 64, FilledWidth = 96;

    /// <summary>Without a mean, what is 0 to the network is black.</summary>
    private static readonly PreprocessingSpec Plain = new() { Scale = 1f / 255, Mean = [0, 0, 0], Std = [1, 1, 1] };

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void The_mask_is_cut_out_of_that_of_the_filled_picture(string device)
    {
        using Image photo = Image.Load(Workplace.Photo(Height, Width)), filled = Filled(photo);
        var options = new SegmenterOptions { Device = device, Preprocessing = Plain };
        using Segmenter whole = Segmenter.Load(model.Path, options), cut = Segmenter.Load(
            model.Path, options with { Preprocessing = Plain with { SizeMultiple = Multiple } });
        Segmentation expected = whole.Segment(filled), actual = cut.Segment(photo);
        Assert.Equal((Height, Width), (actual.Height, actual.Width));
        for (int y = 0; y < Height; y++)
            Assert.Equal(
                expected.Labels.Slice(y * FilledWidth, Width).ToArray(), actual.Labels.Slice(y * Width, Width)
                .ToArray());
        Assert.NotEqual(whole.Segment(photo).Labels.ToArray(), actual.Labels.ToArray());
    }

    private static Image Filled(Image photo)
    {
        var filled = new Image(FilledHeight, FilledWidth, 3);
        filled.Pixels.Clear();
        for (int y = 0; y < Height; y++)
            photo.Pixels.Slice(3 * y * Width, 3 * Width).CopyTo(filled.Pixels[(3 * y * FilledWidth)..]);
        return filled;
    }
}
