using Atrous.Postprocessing;

namespace Atrous.Tests.Postprocessing;

/// <summary>DenseCrf against pydensecrf.</summary>
public sealed class CrfGoldenTests
{
    /// <summary>
    /// Ten times what the original's SSE and scalar paths differ by; un-normalised kernels saturate, and differ more.
    /// </summary>
    private static double Limit(CrfGolden golden) => golden.Normalization == CrfNormalization.None ? 1e-3 : 1e-4;

    public static TheoryData<string> Names => CrfGolden.Names;

    public static TheoryData<string> NamesWithExact => CrfGolden.NamesWithExact;

    [Theory]
    [MemberData(nameof(Names))]
    public void Beliefs_are_those_of_the_original(string name)
    {
        CrfGolden golden = CrfGolden.Load(name);
        using DenseCrf crf = golden.Build();
        crf.Infer(1);
        if (golden.BeliefsAfterOneIteration is { } afterOne)
            AssertNear(Limit(golden) / 10, afterOne, Read(crf), $"{name} after 1 iteration");

        crf.Infer(golden.Iterations);
        float[] beliefs = Read(crf);
        AssertNear(Limit(golden), golden.Beliefs, beliefs, name);
        Assert.Equal(Winners(golden.Beliefs, golden.Labels), Labels(crf));
    }

    [Theory]
    [MemberData(nameof(NamesWithExact))]
    public void Exact_filtering_is_no_farther_than_from_the_original(string name)
    {
        CrfGolden golden = CrfGolden.Load(name);
        using DenseCrf crf = golden.Build();
        crf.Infer(golden.Iterations);
        double distance = Read(crf).Zip(golden.ExactBeliefs, (a, b) => Math.Abs((double)a - b)).Average();
        Assert.True(distance <= golden.MeanDistanceOfTheOriginal * 1.001, $"{name}: {distance}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Divergence_falls_as_the_originals(string name)
    {
        CrfGolden golden = CrfGolden.Load(name);
        using DenseCrf crf = golden.Build();
        crf.Start();
        foreach (double expected in golden.KlDivergence)
        {
            double divergence = crf.KlDivergence();
            Assert.True(
                Math.Abs(divergence - expected) <= 1e-4 * Math.Abs(expected), $"{name}: {divergence}, not {expected}");
            crf.Step();
        }
    }

    [Fact]
    public void Unaries_are_those_of_the_originals_utilities()
    {
        TensorFile file = TensorFile.Of("utils_48x64_L4");
        float[] softmax = file.Read<float>("softmax");
        AssertNear(1e-6, file.Read<float>("unary_from_softmax"), DenseCrfUnary.FromSoftmax(softmax, 4), "default");
        AssertNear(
            1e-6, file.Read<float>("unary_from_softmax_scale0.5"), DenseCrfUnary.FromSoftmax(softmax, 4, scale: 0.5f),
            "scale");
        int[] labels = file.Read<int>("labels");
        AssertNear(
            1e-6, file.Read<float>("unary_from_labels_gt0.7_zu"), DenseCrfUnary.FromLabels(labels, 5, 0.7f), "unsure");
        AssertNear(
            1e-6, file.Read<float>("unary_from_labels_gt0.7_nozu"),
            DenseCrfUnary.FromLabels(labels, 5, 0.7f, zeroIsUnsure: false), "zero is a label");
    }

    private static float[] Read(DenseCrf crf)
    {
        var beliefs = new float[crf.Labels * crf.Width * crf.Height];
        crf.CopyBeliefs(beliefs);
        return beliefs;
    }

    private static ushort[] Labels(DenseCrf crf)
    {
        var labels = new ushort[crf.Width * crf.Height];
        crf.CopyLabels(labels);
        return labels;
    }

    private static ushort[] Winners(float[] beliefs, int labels)
    {
        int pixels = beliefs.Length / labels;
        return [.. Enumerable.Range(0, pixels)
            .Select(p => (ushort)Enumerable.Range(0, labels).MaxBy(l => beliefs[l * pixels + p]))];
    }

    private static void AssertNear(double limit, float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = expected.Zip(actual, (a, b) => Math.Abs((double)a - b)).Max();
        // Written so that a NaN fails.
        Assert.True(worst <= limit, $"{what}: {worst:0.0e+00}, limit {limit:0.0e+00}");
    }
}
