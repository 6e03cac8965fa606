using Atrous.Imaging;
using Atrous.Native;
using Atrous.Postprocessing;
using Atrous.Tensors;

namespace Atrous.Tests.Postprocessing;

public sealed class DenseCrfTests
{
    [Theory]
    [InlineData(47, 63)]
    [InlineData(1, 37)]
    [InlineData(37, 1)]
    [InlineData(1, 1)]
    public void Any_number_of_threads_gives_the_same_bits(int height, int width)
    {
        using Image image = Scene(width, height, 3);
        using Tensor scores = Scores(width, height, 5);
        float[][] beliefs = [.. new[] { 1, 2, 5 }.Select(threads =>
        {
            using var crf = new DenseCrf(height, width, 5, threads);
            crf.SetUnary(scores, CrfScores.Logits);
            DenseCrfParameters.DeepLabV2.AddTo(crf, image);
            crf.Infer(DenseCrfParameters.DeepLabV2.Iterations);
            using Tensor result = crf.Beliefs();
            return result.Image<float>(0).ToArray();
        })];
        Assert.Equal(beliefs[0], beliefs[1]);
        Assert.Equal(beliefs[0], beliefs[2]);
        Assert.All(Enumerable.Range(0, width * height), p =>
            Assert.Equal(1, beliefs[0].AsSpan(p * 5, 5).ToArray().Sum(), 1e-5f));
    }

    [Theory]
    [InlineData("deeplabv2")]
    [InlineData("PyDenseCrf")]
    public void Noisy_labels_snap_to_the_edge(string name)
    {
        const int width = 60, height = 40;
        using Image image = Scene(width, height, 3);
        using Tensor scores = Scores(width, height, 2);
        ushort[] refined = DenseCrfParameters.ByName(name).Refine(image, scores, CrfScores.Logits, threads: 2);
        int wrong = Enumerable.Range(0, width * height).Count(p => refined[p] != (p % width >= width / 2 ? 1 : 0));
        int wrongBefore = Enumerable.Range(0, width * height)
            .Count(p =>
            (scores[0, p / width, p % width, 1] > scores[0, p / width, p % width, 0]) != (p % width >= width / 2));
        Assert.True(wrongBefore > 200, $"the scores are too good: {wrongBefore}");
        Assert.True(wrong < 10, $"{wrong} of {width * height} pixels, {wrongBefore} before");
    }

    [Fact]
    public void Presets_are_the_published_numbers()
    {
        Assert.Equal(
            new DenseCrfParameters("deeplabv2", 10, 1, 3, 67, 3, 4, 1e-5f), DenseCrfParameters.ByName("DeepLabV2"));
        Assert.Equal(
            new DenseCrfParameters("pydensecrf", 5, 3, 3, 80, 13, 10, 1e-5f), DenseCrfParameters.ByName("pydensecrf"));
        var error = Assert.Throws<UnavailableException>(() => DenseCrfParameters.ByName("best"));
        Assert.Equal("There is no CRF named 'best'; use deeplabv2 or pydensecrf.", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Pictures_of_any_channels_can_be_refined(int channels)
    {
        using Image image = Scene(20, 10, channels);
        using Tensor scores = Scores(20, 10, 3);
        ushort[] labels = DenseCrfParameters.DeepLabV2.Refine(image, scores, CrfScores.Logits, threads: 1);
        Assert.All(labels, label => Assert.InRange(label, 0, 2));
        Assert.Equal(200, labels.Length);
    }

    [Fact]
    public void One_label_is_certain()
    {
        using Image image = Scene(9, 7, 3);
        using var crf = new DenseCrf(7, 9, 1, threads: 1);
        crf.SetUnary(DenseCrfUnary.FromLabels(new int[63], 1, 0.5f));
        DenseCrfParameters.PyDenseCrf.AddTo(crf, image);
        crf.Infer(5);
        using Tensor beliefs = crf.Beliefs();
        Assert.All(beliefs.Image<float>(0).ToArray(), q => Assert.Equal(1, q));
    }

    [Fact]
    public void A_picture_of_the_batch_is_refined_by_itself()
    {
        using Image image = Scene(16, 12, 3);
        using Tensor one = Scores(16, 12, 3), two = new(new Shape(2, 12, 16, 3));
        two.Image<float>(0).Clear();
        one.Image<float>(0).CopyTo(two.Image<float>(1));
        Assert.Equal(
            DenseCrfParameters.DeepLabV2.Refine(image, one, CrfScores.Logits, threads: 1),
            DenseCrfParameters.DeepLabV2.Refine(image, two, CrfScores.Logits, index: 1, threads: 1));
    }

    [Fact]
    public void Tiny_sigmas_are_refused_and_huge_ones_work()
    {
        using Image image = Scene(16, 12, 3);
        using Tensor scores = Scores(16, 12, 3);
        using var crf = new DenseCrf(12, 16, 3, threads: 2);
        crf.SetUnary(scores, CrfScores.Logits);
        // pydensecrf crashes here: its lattice has 16-bit coordinates.
        crf.AddBilateral(5, 5, [0.01f], image, 4);
        crf.AddGaussian(1e20f, 1e20f, 1);
        crf.Infer(3);
        var labels = new ushort[16 * 12];
        crf.CopyLabels(labels);
        Assert.All(labels, label => Assert.InRange(label, 0, 2));

        var error = Assert.Throws<ArgumentException>(() => crf.AddBilateral(5, 5, [1e-5f], image, 4));
        Assert.Contains("use larger sigmas", error.Message);
        Assert.Contains("sigma_x is -1", Assert.Throws<ArgumentException>(() => crf.AddGaussian(-1, 1, 1)).Message);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using Image image = Scene(16, 12, 3);
        using Tensor scores = Scores(16, 12, 3), small = Scores(8, 12, 3);
        using var crf = new DenseCrf(12, 16, 3, threads: 1);
        Assert.Contains(
            "this CRF needs 576", Assert.Throws<ArgumentException>(() => crf.SetUnary(new float[3])).Message);
        Assert.Contains(
            "1x12x16x3", Assert.Throws<ArgumentException>(() => crf.SetUnary(small, CrfScores.Logits)).Message);
        Assert.Contains("for 2 labels",
            Assert.Throws<ArgumentException>(() => crf.AddGaussian(1, 1, CrfCompatibility.Diagonal(1, 2))).Message);
        Assert.Contains(
            "not a finite", Assert.Throws<ArgumentException>(() => crf.AddGaussian(1, 1, float.NaN)).Message);
        Assert.Contains(
            "square", Assert.Throws<ArgumentException>(() => CrfCompatibility.Matrix(new float[2, 3])).Message);
        Assert.Contains("2 sigmas for 3 channels",
            Assert.Throws<ArgumentException>(() => crf.AddBilateral(1, 1, [1, 2], image, 1)).Message);
        Assert.Contains("call atrous_crf_start", Assert.Throws<ArgumentException>(crf.Step).Message);
        using Image other = Scene(12, 16, 3);
        Assert.Contains(
            "resize the image", Assert.Throws<ArgumentException>(() => crf.AddBilateral(1, 1, [1], other, 1)).Message);
        Assert.Throws<ArgumentException>(() => DenseCrfParameters.DeepLabV2.Refine(other, scores, CrfScores.Logits));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DenseCrf(4, 0, 2));
        Assert.Throws<ArgumentException>(() => DenseCrfUnary.FromLabels([3], 2, 0.5f));
        Assert.Throws<ArgumentOutOfRangeException>(() => DenseCrfUnary.FromLabels([1], 2, 1));

        scores[0, 3, 4, 1] = float.NaN;
        string message = Assert.Throws<ArgumentException>(() => crf.SetUnary(scores, CrfScores.Logits)).Message;
        Assert.Contains("label 1 at pixel 52 is not finite", message);
        crf.Dispose();
        Assert.Throws<ObjectDisposedException>(crf.Start);
    }

    [Fact]
    public void More_memory_than_there_is_is_refused_with_the_numbers()
    {
        long before = LibAtrous.LiveHandles();
        var vast = Assert.Throws<MemoryException>(() => new DenseCrf(50000, 40000, 1000));
        Assert.Contains("a CRF of 40000x50000 pixels and 1000 labels needs 1.49e+04 GiB", vast.Message);
        var limited = Assert.Throws<MemoryException>(() => new DenseCrf(375, 500, 21, memoryLimit: 1 << 20));
        Assert.Contains("of its memory limit", limited.Message);
        Assert.Equal(before, LibAtrous.LiveHandles());
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        long before = LibAtrous.LiveHandles();
        using (Image image = Scene(16, 12, 3))
        using (Tensor scores = Scores(16, 12, 3))
        using (var engine = new EngineHandle(1))
        {
            var crf = new DenseCrf(engine, 12, 16, 3);
            crf.SetUnary(scores, CrfScores.Logits);
            // The CRF keeps its engine alive, even one that was disposed.
            engine.Dispose();
            DenseCrfParameters.DeepLabV2.AddTo(crf, image);
            crf.Infer(2);
            crf.Dispose();
            crf.Dispose();
        }
        Assert.Equal(before, LibAtrous.LiveHandles());
    }

    [Fact]
    public void An_inference_can_be_cancelled()
    {
        using var crf = new DenseCrf(12, 16, 3, threads: 1);
        Assert.Throws<OperationCanceledException>(() => crf.Infer(1000, new CancellationToken(canceled: true)));
    }

    /// <summary>Dark on the left, bright on the right, with a little noise.</summary>
    private static Image Scene(int width, int height, int channels)
    {
        var random = new Random(1);
        var image = new Image(height, width, channels);
        Span<byte> pixels = image.Pixels;
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)((i / channels % width < width / 2 ? 50 : 190) + random.Next(4));
        return image;
    }

    /// <summary>Logits that prefer label 1 on the right half, rather unsurely.</summary>
    private static Tensor Scores(int width, int height, int labels)
    {
        var random = new Random(2);
        var scores = new Tensor(new Shape(1, height, width, labels));
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int l = 0; l < labels; l++)
                    scores[0, y, x, l] = 3 * random.NextSingle() + (l == (x >= width / 2 ? 1 % labels : 0) ? 1.3f : 0);
            }
        }
        return scores;
    }
}
