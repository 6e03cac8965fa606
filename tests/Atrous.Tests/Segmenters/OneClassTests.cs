using Atrous.Exporting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>
/// Networks of one output channel, whose masks are sigmoid(logit) above a threshold: those of the original code, in
/// every way of making a mask.
/// </summary>
public sealed class OneClassTests : IDisposable
{
    private const string Smp = "smp_c1.pth", Mmseg = "mmseg_one.pth";

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Smp, "ref.png", 0.5, "foreground", "cpu")]
    [InlineData(Smp, "ref.png", 0.5, "foreground", "reference")]
    [InlineData(Mmseg, "one_ref03.png", 0.3, "crack", "cpu")]
    public void The_mask_is_the_original_s(
        string file, string expected, double threshold, string className, string device)
    {
        using Segmenter segmenter = Segmenter.Load(Case(file), new SegmenterOptions { Device = device, Threads = 2 });
        Assert.Equal((2, threshold), (segmenter.Info.Classes, segmenter.Info.Threshold!.Value));
        Assert.Equal(["background", className], segmenter.Info.ClassNames);
        Assert.Contains(segmenter.Info.Switches, row => row.Name == "threshold");
        using Image photo = Photo();
        Segmentation mask = segmenter.Segment(photo, confidence: true);
        AssertSame(LabelImage.Load(Case(expected)).Labels, mask.Labels, 0.9995);

        using Tensor probabilities = segmenter.Probabilities(photo);
        Assert.Equal(new Shape(1, photo.Height, photo.Width, 2), probabilities.Shape);
        ReadOnlySpan<float> pairs = probabilities.Image<float>(0);
        for (int i = 0; i < mask.Labels.Length; i++)
        {
            Assert.Equal(1, pairs[2 * i] + pairs[2 * i + 1], 1e-5f);
            Assert.Equal(pairs[2 * i + mask.Labels[i]], mask.Confidence[i], 1e-5f);
            if (Math.Abs(pairs[2 * i + 1] - threshold) > 1e-5)
                Assert.Equal(pairs[2 * i + 1] > threshold ? 1 : 0, mask.Labels[i]);
        }
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.5)]
    [InlineData(0.7)]
    public void Windows_scales_and_batches_know_the_threshold(double threshold)
    {
        using Image photo = Photo(), mirrored = photo.Mirrored();
        SegmenterOptions options = Threshold(threshold);
        using Segmenter plain = Segmenter.Load(Case(Smp), options),
            // One window that holds the picture, and one scale, are the picture itself.
            window = Segmenter.Load(Case(Smp), options with { Window = new SlidingWindow(1024) }),
            scale = Segmenter.Load(Case(Smp), options with { Augmentation = new TestTimeAugmentation([1], false) });
        Segmentation mask = plain.Segment(photo, confidence: true);
        foreach (Segmenter other in new[] { window, scale })
        {
            Segmentation same = other.Segment(photo, confidence: true);
            AssertSame(mask.Labels, same.Labels, 0.9995);
            Assert.Equal(mask.Confidence.ToArray().Average(), same.Confidence.ToArray().Average(), 1e-4f);
        }
        IReadOnlyList<Segmentation> batch = plain.Segment([photo, mirrored, photo]);
        AssertSame(mask.Labels, batch[0].Labels, 1);
        AssertSame(mask.Labels, batch[2].Labels, 1);
    }

    [Fact]
    public void A_higher_threshold_has_less_foreground()
    {
        using Image photo = Photo();
        double[] shares = [.. new[] { 0.2, 0.5, 0.8 }.Select(threshold =>
        {
            using Segmenter segmenter = Segmenter.Load(Case(Smp), Threshold(threshold));
            return segmenter.Segment(photo).Labels.ToArray().Average(label => label);
        })];
        Assert.True(shares[0] > shares[1] && shares[1] > shares[2], string.Join(", ", shares));
    }

    [Fact]
    public void The_crf_sharpens_it_and_refuses_a_threshold_that_it_does_not_know()
    {
        using Image photo = Photo();
        var options = new SegmenterOptions { Crf = DenseCrfParameters.PyDenseCrf };
        using Segmenter plain = Segmenter.Load(Case(Smp)), segmenter = Segmenter.Load(Case(Smp), options);
        using Tensor probabilities = plain.Probabilities(photo);
        ushort[] expected = options.Crf!.Refine(photo, probabilities, CrfScores.Probabilities);
        Segmentation sharpened = segmenter.Segment(photo);
        AssertSame(expected, sharpened.Labels, 0.999);
        Assert.NotEqual(plain.Segment(photo).Labels.ToArray(), sharpened.Labels.ToArray());
        Assert.Contains("threshold is 0.3", Assert.Throws<UnavailableException>(
            () => Segmenter.Load(Case(Mmseg), options)).Message);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("half")]
    [InlineData("NaN")]
    public void What_is_no_threshold_is_refused(string text) => Assert.Contains(
        "between 0 and 1", Assert.Throws<UnavailableException>(() => Segmenter.Load(
            Case(Smp), new SegmenterOptions { Switches = new Dictionary<string, string> { ["threshold"] = text } }))
            .Message);

    [Fact]
    public void A_network_of_several_classes_has_no_threshold() => Assert.Contains(
        "no switch 'threshold'", Assert.Throws<UnavailableException>(
            () => Segmenter.LoadDefault(Threshold(0.5))).Message);

    [Fact]
    public void A_converted_file_keeps_the_threshold_and_the_mask()
    {
        string converted = Path.Combine(_folder, "one.safetensors");
        ModelConverter.Convert(Case(Mmseg), converted);
        using Segmenter original = Segmenter.Load(Case(Mmseg)), copy = Segmenter.Load(converted);
        Assert.Equal(0.3, copy.Info.Threshold);
        using Image photo = Photo();
        AssertSame(original.Segment(photo).Labels, copy.Segment(photo).Labels, 0.9995);
    }

    [Fact]
    public void Names_of_both_classes_can_be_given()
    {
        using Segmenter segmenter = Segmenter.Load(
            Case(Smp), new SegmenterOptions { ClassNames = ["healthy", "lesion"] });
        Assert.Equal(["healthy", "lesion"], segmenter.Info.ClassNames);
        Assert.Contains("3 class names", Assert.Throws<UnavailableException>(
            () => Segmenter.Load(Case(Smp), new SegmenterOptions { ClassNames = ["a", "b", "c"] })).Message);
    }

    private static string Case(string file) => Shared.Require($"cases/01-one-class-mask/{file}");

    private static Image Photo() => Image.Load(Case("photo.png"));

    private static SegmenterOptions Threshold(double value) => new()
    {
        Switches = new Dictionary<string, string>
        {
            ["threshold"] = value.ToString(System.Globalization.CultureInfo.InvariantCulture),
        },
    };

    private static void AssertSame(ReadOnlySpan<ushort> expected, ReadOnlySpan<ushort> actual, double least)
    {
        Assert.Equal(expected.Length, actual.Length);
        int same = 0;
        for (int i = 0; i < expected.Length; i++)
            same += (expected[i] == 0) == (actual[i] == 0) ? 1 : 0;
        Assert.InRange((double)same / expected.Length, least, 1);
    }
}
