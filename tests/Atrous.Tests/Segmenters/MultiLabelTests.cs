using Atrous.Exporting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Shapes;
using Atrous.Tensors;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Segmenters;

/// <summary>
/// Networks whose channels have a sigmoid each: a pixel is of every class above the threshold, or of none.
/// </summary>
public sealed class MultiLabelTests(GeneratedModel model) : IDisposable
{
    private const int Classes = 5;
    private const double Threshold = 0.6;

    private static readonly Dictionary<string, string> Several = new()
    {
        ["multilabel"] = "true",
        ["threshold"] = "0.6",
    };

    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void A_pixel_is_of_every_class_whose_sigmoid_is_above_the_threshold(string device)
    {
        using Image photo = Photo();
        using Segmenter plain = Load(new SegmenterOptions { Device = device }),
            segmenter = Load(new SegmenterOptions { Device = device, Switches = Several });
        Assert.Equal((true, Classes + 1, Threshold), (
            segmenter.Info.IsMultiLabel, segmenter.Info.Classes, segmenter.Info.Threshold));
        Assert.Equal(
            ["background", "channel 0", "channel 1", "channel 2", "channel 3", "channel 4"], segmenter.Info.ClassNames);
        using Tensor logits = plain.Scores(photo, TestContext.Current.CancellationToken);
        using Tensor probabilities = segmenter.Probabilities(photo, TestContext.Current.CancellationToken);
        Segmentation mask = segmenter.Segment(photo, confidence: true);
        Assert.True(mask.IsMultiLabel);
        Assert.Equal(new Shape(1, photo.Height, photo.Width, Classes), probabilities.Shape);
        ReadOnlySpan<float> scores = logits.Image<float>(0), each = probabilities.Image<float>(0);
        ushort[][] only = [.. Enumerable.Range(0, Classes + 1).Select(label => mask.Only(label).Labels.ToArray())];
        int overlaps = 0, none = 0;
        for (int i = 0; i < mask.Labels.Length; i++)
        {
            int best = 0, above = 0;
            for (int c = 0; c < Classes; c++)
            {
                double sigmoid = 1 / (1 + Math.Exp(-scores[i * Classes + c]));
                Assert.Equal(sigmoid, each[i * Classes + c], 1e-5);
                if (Math.Abs(sigmoid - Threshold) > 1e-5)
                    Assert.Equal(sigmoid > Threshold ? 1 : 0, only[c + 1][i]);
                above += only[c + 1][i];
                if (scores[i * Classes + c] > scores[i * Classes + best])
                    best = c;
            }
            Assert.Equal(above == 0 ? 1 : 0, only[0][i]);
            Assert.Equal(above == 0 ? 0 : best + 1, mask.Labels[i]);
            Assert.Equal(
                above == 0 ? 1 - each[i * Classes + best] : each[i * Classes + best], mask.Confidence[i], 1e-5f);
            overlaps += above > 1 ? 1 : 0;
            none += above == 0 ? 1 : 0;
        }
        // The picture would show nothing otherwise.
        Assert.True(overlaps > 0 && none > 0, $"{overlaps} pixels are of several classes, {none} of none");
        AssertCounted(mask, only);
    }

    [Fact]
    public void Windows_scales_and_batches_know_it()
    {
        using Image photo = Photo(), mirrored = photo.Mirrored();
        var options = new SegmenterOptions { Switches = Several };
        using Segmenter plain = Load(options),
            // One window that holds the picture, and one scale, are the picture itself.
            window = Load(options with { Window = new SlidingWindow(1024) }),
            scale = Load(options with { Augmentation = new TestTimeAugmentation([1], false) });
        Segmentation mask = plain.Segment(photo);
        foreach (Segmentation same in new[]
            {
                window.Segment(photo), scale.Segment(photo), plain.Segment([mirrored, photo])[1],
            })
        {
            for (int label = 0; label <= Classes; label++)
                AssertSame(mask.Only(label).Labels, same.Only(label).Labels);
        }
    }

    [Fact]
    public void One_class_a_pixel_is_what_a_mask_is_otherwise()
    {
        using Image photo = Photo();
        using Segmenter segmenter = Load(new SegmenterOptions());
        Segmentation mask = segmenter.Segment(photo);
        Assert.False(mask.IsMultiLabel || segmenter.Info.IsMultiLabel);
        int label = mask.Shares[0].Label;
        Segmentation only = mask.Only(label);
        Assert.Equal(mask.Shares[0].Pixels, only.Labels.ToArray().Count(value => value == 1));
        Assert.Equal(["background", mask.NameOf(label)], only.ClassNames);
        Assert.Equal([new Rgb(0, 0, 0), mask.Palette[label]], only.Palette.Colours);
        Assert.Throws<ArgumentOutOfRangeException>(() => mask.Only(Classes));
    }

    [Fact]
    public void A_converted_file_keeps_it_and_the_crf_is_refused()
    {
        string converted = _place["several.safetensors"];
        ModelConverter.Convert(model.Path, converted, new SegmenterOptions { Switches = Several });
        using Image photo = Photo();
        using Segmenter original = Load(new SegmenterOptions { Switches = Several }), copy = Segmenter.Load(converted);
        Assert.Equal((true, Threshold), (copy.Info.IsMultiLabel, copy.Info.Threshold));
        AssertSame(original.Segment(photo).Only(2).Labels, copy.Segment(photo).Only(2).Labels);
        Assert.Contains("CRF", Assert.Throws<UnavailableException>(() => Segmenter.Load(
            converted, new SegmenterOptions { Crf = DenseCrfParameters.PyDenseCrf })).Message);
        using Segmenter single = Segmenter.Load(
            converted, new SegmenterOptions { Switches = new Dictionary<string, string> { ["multilabel"] = "false" } });
        Assert.Equal(Classes, single.Info.Classes);
    }

    private static void AssertCounted(Segmentation mask, ushort[][] only)
    {
        foreach (IGrouping<int, Region> regions in mask.Regions().GroupBy(region => region.Label))
        {
            Assert.Equal(only[regions.Key].LongCount(value => value == 1), regions.Sum(region => region.Pixels));
            Assert.Equal(mask.Only(regions.Key).Regions(new() { Labels = [1] }).Select(region => region.Outline.Points),
                regions.Select(region => region.Outline.Points));
        }
        Assert.Equal(mask.Regions(new() { Labels = [2] }).Sum(region => region.Pixels),
            only[2].LongCount(value => value == 1));
        long[] pixels = [.. only.Select(map => map.LongCount(value => value == 1))];
        int[] present = [.. Enumerable.Range(0, pixels.Length).Where(label => pixels[label] > 0)];
        Assert.Equal(present, mask.Shares.Select(share => share.Label).Order());
        Assert.All(mask.Shares, share => Assert.Equal(
            (pixels[share.Label], (double)pixels[share.Label] / mask.Labels.Length), (share.Pixels, share.Share)));
        Assert.Equal(present, mask.RunLengths().Select(run => run.Label));
        Assert.All(mask.RunLengths(), run => Assert.Equal(pixels[run.Label], run.Area));
    }

    private Segmenter Load(SegmenterOptions options) => Segmenter.Load(model.Path, options);

    private static Image Photo() => Image.Load(Workplace.Photo(61, 83));

    /// <summary>All but a pixel in two thousand, whose probability may be the threshold itself.</summary>
    private static void AssertSame(ReadOnlySpan<ushort> expected, ReadOnlySpan<ushort> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        int same = 0;
        for (int i = 0; i < expected.Length; i++)
            same += expected[i] == actual[i] ? 1 : 0;
        Assert.InRange((double)same / expected.Length, 0.9995, 1);
    }
}
