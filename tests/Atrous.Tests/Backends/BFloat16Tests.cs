using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;
using Atrous.Tests.Graph;
using Atrous.Tests.Models;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>Networks stored as bfloat16: operations, whole networks, and where float32 stays.</summary>
public sealed class BFloat16Tests(ITestOutputHelper output)
{
    /// <summary>
    /// Of the largest result: bfloat16 moves a value by up to
    /// 2^-9 of itself, which the terms of a sum multiply by how far they exceed it, and an operation meets up to three
    /// roundings: input, weight, result.
    /// </summary>
    private const double OpLimit = 1.0 / 64;

    /// <summary>
    /// Root mean square, in standard deviations of the logits: roundings of 2^-9 in a hundred layers, mostly averaged
    /// out by the sums of the next. Measured: 2e-3 (with linear bottlenecks) to 1.5e-2.
    /// </summary>
    private const double NetworkLimit = 2.5e-2;

    /// <summary>
    /// Random weights leave many classes close together; real ones do not (RealModelTests). Measured: 0.981 at the
    /// least.
    /// </summary>
    private const double LabelLimit = 0.97;

    public static TheoryData<string> Cases => [.. OpCases.All.Select(test => test.Name)];

    /// <summary>The small ones of every dialect, and one of each large kind.</summary>
    public static TheoryData<string> Goldens =>
    [
        .. GoldenParityTests.Small.Select(row => row.Data), "arronhzg_resnet101_os16_97x129",
        "torchvision_deeplabv3_resnet50_97x129", "detectron2_deeplabv3plus_R103_os16_pool6x8_96x128",
            "jfzhang95_drn_d_54_os8_97x129",
        "kazuto1011_deeplabv2_resnet101_msc_97x129", "mmseg_deeplabv3plus_r50-d8_noac_97x129",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operations_agree_with_the_reference(string name) =>
        Compare(OpCases.Find(name), OpCases.Find(name).Graph());

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operations_agree_with_the_reference_between_slices(string name) =>
        Compare(OpCases.Find(name), OpCases.Find(name).SlicedGraph());

    [Fact]
    public void Random_networks_agree_with_the_reference()
    {
        using IBackend backend = AllBackends.OfBFloat16();
        for (int seed = 0; seed < 40; seed++)
        {
            NetworkGraph graph = RandomGraphs.Make(seed);
            float[] input = RandomGraphs.Input(graph, seed);
            Array[] expected = Running.Reference(graph, input), actual = Running.Run(backend, graph, input);
            for (int i = 0; i < expected.Length - 2; i++)
            {
                Difference difference = Tolerance.Measure((float[])actual[i], (float[])expected[i]);
                Assert.True(difference.RelativeRms <= NetworkLimit, $"seed {seed}: {graph.Outputs[i]}: {difference}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Networks_give_nearly_the_original_s_logits(string name)
    {
        using CpuBackend backend = AllBackends.OfBFloat16();
        Golden golden = Golden.Load(name);
        float[] expected = golden.Output().ToNhwc(), actual = GoldenNetworks.Forward(golden, backend);
        Difference difference = Tolerance.Measure(actual, expected, golden.OutputStd);
        double agreement = Agreement(actual, expected, golden.Output().Nhwc.Channels);
        output.WriteLine($"{name}: {difference}; {agreement:P2} of the labels agree");
        Assert.True(difference.RelativeRms <= NetworkLimit, difference.ToString());
        Assert.True(agreement >= LabelLimit, $"{agreement:P2} of the labels agree");
    }

    private static double Agreement(float[] actual, float[] expected, int classes)
    {
        int pixels = expected.Length / classes;
        return Enumerable.Range(0, pixels).Count(i => Winner(actual, i) == Winner(expected, i)) / (double)pixels;

        int Winner(float[] scores, int pixel)
        {
            int best = 0;
            for (int c = 1; c < classes; c++)
                best = scores[pixel * classes + c] > scores[pixel * classes + best] ? c : best;
            return best;
        }
    }

    private static void Compare(OpCase test, NetworkGraph graph)
    {
        float[][] inputs = test.InputValues();
        Array[] expected = Running.Reference(graph, inputs);
        using IBackend backend = AllBackends.OfBFloat16();
        Array[] actual = Running.Run(backend, graph, inputs);
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] is not float[] values)
                continue;
            Tolerance.AssertWithin(
                OpLimit, (float[])actual[i], values, $"{test} {graph.Outputs[i]}", values.Max(Math.Abs));
        }
    }
}
