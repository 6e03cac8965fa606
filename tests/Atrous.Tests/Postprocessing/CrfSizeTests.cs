using Atrous.Cli.Segmenting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tensors;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Postprocessing;

/// <summary>Large pictures are refined at a size whose memory is bounded.</summary>
public sealed class CrfSizeTests(GeneratedModel model)
{
    [Theory]
    [InlineData(1080, 1920, 11)]
    [InlineData(1080, 1920, 21)]
    [InlineData(513, 513, 150)]
    public void Usual_pictures_keep_their_size(int height, int width, int classes) =>
        Assert.Equal(1, CrfSize.ScaleFor(height, width, classes));

    [Theory]
    [InlineData(4000, 6000, 11)]
    [InlineData(4000, 6000, 150)]
    [InlineData(1, 31_000_000, 21)]
    [InlineData(20_000, 20_000, 65_536)]
    public void Large_pictures_become_smaller_by_what_they_would_take(int height, int width, int classes)
    {
        double scale = CrfSize.ScaleFor(height, width, classes);
        Assert.InRange(scale, 0, 0.99);
        (int smallerHeight, int smallerWidth) = CrfSize.At(height, width, scale);
        Assert.InRange(smallerHeight, 1, height);
        Assert.InRange(smallerWidth, 1, width);
        // Scores, unaries and beliefs alone.
        Assert.InRange(12.0 * classes * smallerHeight * smallerWidth, 0, CrfSize.MaxBytes);
    }

    [Fact]
    public void Beliefs_of_the_same_size_are_the_same()
    {
        const int height = 23, width = 31, classes = 5;
        using Image photo = Photo(height, width);
        using Tensor scores = Scores(height, width, classes), again = Scores(height, width, classes);
        using var step = new CrfStep(DenseCrfParameters.PyDenseCrf, null, threads: 1, progress: null);
        (ushort[] labels, float[] confidence) = step.Refine(photo, scores, CrfScores.Logits, 0, true, default);
        (ushort[] resized, float[] certain) = step.RefineTo(
            photo, again, CrfScores.Logits, (height, width), confidence: true, default);
        Assert.Equal(labels, resized);
        Assert.Equal(confidence.Length, certain.Length);
        for (int i = 0; i < certain.Length; i++)
            Assert.Equal(confidence[i], certain[i], 1e-4f);
        Assert.True(labels.Distinct().Count() > 1);
    }

    /// <summary>What lets every photo through that is expected to fit refuses noise of the same size.</summary>
    [Fact]
    public void Noise_that_takes_too_much_becomes_smaller_which_is_said()
    {
        const int side = 64;
        using Image photo = Photo(side, side);
        var options = new SegmenterOptions { Crf = DenseCrfParameters.DeepLabV2 };
        using (var usual = Segmenter.Load(model.Path, options))
            Assert.Null(usual.Segment(photo).Note);
        using var little = Segmenter.Load(
            model.Path, options with { MostCrfBytes = CrfSize.BytesAt(side, side, classes: 5) });
        Segmentation mask = little.Segment(photo, confidence: true);
        Assert.Contains("The CRF worked at ", mask.Note);
        Assert.Contains("not 64 x 64, for which it would take more than", mask.Note);
        Assert.Equal((side, side, side * side), (mask.Height, mask.Width, mask.Confidence.Length));
        // Of several pictures it is said of those alone that it is true of.
        using var even = new Image(side, side, 3);
        even.Pixels.Clear();
        IReadOnlyList<Segmentation> both = little.Segment([even, photo]);
        Assert.Equal((null, mask.Note), (both[0].Note, both[1].Note));
    }

    [Fact]
    public void What_it_takes_is_told_first_and_then_each_iteration()
    {
        const int height = 12, width = 10, classes = 3;
        var told = new Told();
        using Image photo = Photo(height, width);
        using Tensor scores = Scores(height, width, classes);
        using var step = new CrfStep(DenseCrfParameters.DeepLabV2, null, threads: 1, told);
        step.Refine(photo, scores, CrfScores.Logits, 0, confidence: false, default);
        Assert.Equal(Enumerable.Range(0, 11), told.All.Select(each => each.Iteration));
        long bytes = CrfSize.BytesAt(height, width, classes);
        Assert.All(told.All, each => Assert.Equal(
            new CrfProgress(height, width, bytes, each.Iteration, 10), each));
    }

    [Fact]
    public void The_tool_says_what_a_large_one_takes_and_nothing_of_others()
    {
        var said = new List<string>();
        var lines = new CrfLines(said.Add);
        lines.Report(new CrfProgress(375, 500, 90_000_000, 0, 10));
        Assert.Empty(said);
        lines.Report(new CrfProgress(1500, 2000, 1_200_000_000, 0, 10));
        Assert.Equal(
            "The CRF takes 10 iterations at 2000 x 1500 pixels, and about 1.2 GB of memory.", Assert.Single(said));
        lines.Report(new CrfProgress(1500, 2000, 1_200_000_000, 10, 10));
        Assert.Single(said);
    }

    [Fact]
    public void Beliefs_of_a_smaller_picture_cover_the_whole_one()
    {
        const int classes = 2;
        using Image photo = Photo(8, 8);
        using var scores = new Tensor(new Shape(1, 8, 8, classes));
        Span<float> logits = scores.Image<float>(0);
        for (int i = 0; i < 64; i++)
            (logits[2 * i], logits[2 * i + 1]) = i % 8 < 4 ? (9f, 0f) : (0f, 9f);
        using var step = new CrfStep(
            new DenseCrfParameters("none", 1, 1, 0, 1, 1, 0), null, threads: 1, progress: null);
        ushort[] labels = step.RefineTo(photo, scores, CrfScores.Logits, (40, 40), confidence: false, default).Labels;
        Assert.Equal(1600, labels.Length);
        for (int i = 0; i < labels.Length; i++)
            Assert.Equal(i % 40 < 20 ? 0 : 1, labels[i]);
    }

    private sealed class Told : IProgress<CrfProgress>
    {
        public List<CrfProgress> All { get; } = [];

        public void Report(CrfProgress value) => All.Add(value);
    }

    private static Image Photo(int height, int width)
    {
        var photo = new Image(height, width, 3);
        new Random(1).NextBytes(photo.Pixels);
        return photo;
    }

    private static Tensor Scores(int height, int width, int classes)
    {
        var random = new Random(2);
        var scores = new Tensor(new Shape(1, height, width, classes));
        foreach (ref float score in scores.Image<float>(0))
            score = (float)(random.NextDouble() * 8 - 4);
        return scores;
    }
}
