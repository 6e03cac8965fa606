using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;

namespace Atrous.Tests.Segmenters;

/// <summary>Scales and mirror images, averaged.</summary>
public sealed class TestTimeAugmentationTests(GeneratedModel model)
{
    [Fact]
    public void One_pass_as_it_is_changes_nothing()
    {
        using Segmenter plain = Segmenter.Load(model.Path), once = Load([1], flip: false);
        using Image photo = SlidingWindowTests.Photo(97, 129);
        Segmentation expected = plain.Segment(photo, confidence: true), actual = once.Segment(photo, confidence: true);
        Assert.Equal(expected.Labels.ToArray(), actual.Labels.ToArray());
        for (int i = 0; i < expected.Confidence.Length; i++)
            Assert.Equal(expected.Confidence[i], actual.Confidence[i], 1e-4f);
    }

    /// <summary>
    /// With the mirror image averaged in, left and right are equals: a mirrored picture has the mirrored mask.
    /// </summary>
    [Fact]
    public void A_flipped_mean_is_symmetric()
    {
        using Segmenter plain = Segmenter.Load(model.Path), flipped = Load([0.75, 1, 1.25], flip: true);
        using Image photo = SlidingWindowTests.Photo(97, 129), mirrored = photo.Mirrored();
        Assert.True(Symmetry(flipped) >= 0.999);
        Assert.True(Symmetry(plain) < 0.999);

        double Symmetry(Segmenter segmenter)
        {
            Segmentation mask = segmenter.Segment(photo), other = segmenter.Segment(mirrored);
            int equal = Enumerable.Range(0, 97 * 129)
                .Count(i => mask[i / 129, i % 129] == other[i / 129, 128 - i % 129]);
            return equal / (double)(97 * 129);
        }
    }

    [Fact]
    public void Scales_change_the_mask_and_batches_do_not()
    {
        using Segmenter plain = Segmenter.Load(model.Path), scaled = Load([0.5, 1.5], flip: true);
        Image[] photos = [.. Enumerable.Range(0, 3).Select(i => SlidingWindowTests.Photo(65, 80))];
        ushort[] expected = scaled.Segment(photos[0]).Labels.ToArray();
        Assert.NotEqual(plain.Segment(photos[0]).Labels.ToArray(), expected);
        Assert.All(scaled.Segment(photos), mask => Assert.Equal(expected, mask.Labels.ToArray()));
        foreach (Image photo in photos)
            photo.Dispose();
    }

    [Fact]
    public void The_crf_takes_the_mean()
    {
        var options = new SegmenterOptions { Augmentation = new TestTimeAugmentation([0.75, 1], flip: true) };
        using Segmenter mean = Segmenter.Load(model.Path, options);
        using Segmenter refined = Segmenter.Load(model.Path, options with { Crf = DenseCrfParameters.PyDenseCrf });
        using Image photo = SlidingWindowTests.Photo(97, 129);
        Segmentation result = refined.Segment(photo, confidence: true);
        Assert.NotEqual(mean.Segment(photo).Labels.ToArray(), result.Labels.ToArray());
        foreach (float confidence in result.Confidence)
            Assert.InRange(confidence, 1f / result.Classes - 1e-6f, 1f + 1e-6f);
    }

    private Segmenter Load(double[] scales, bool flip) =>
        Segmenter.Load(model.Path, new SegmenterOptions { Augmentation = new TestTimeAugmentation(scales, flip) });
}
