using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>The narrower precisions against the reference, operation by operation.</summary>
public sealed class PrecisionTests(ITestOutputHelper output)
{
    /// <summary>
    /// What an operation may be off by, in standard deviations of its result. Each input and each weight is off by half
    /// a unit in the last place (2^-12 of its size at most for 11 bits, 2^-9 for 8), the result once more; the cases
    /// are wide enough that the largest of a few hundred results is about ten times that.
    /// </summary>
    private static double Limit(Precision precision) => precision switch
    {
        Precision.Tf32 => 5e-3,
        Precision.Fp16 => 5e-3,
        Precision.Bf16 => 4e-2,
        _ => 1e-5,
    };

    /// <summary>Of labels of random scores, of which some are nearer to each other than a precision tells.</summary>
    private const double SameLabels = 0.95;

    /// <summary>
    /// Inputs so far from 0 that their own rounding to 16 bits is more than the limit, whatever is then computed.
    /// </summary>
    private static readonly string[] BeyondHalf = ["layer_norm_shifted", "linear_attention_far"];

    public static IEnumerable<TheoryDataRow<Precision, string>> Cases => Parts.Of(
        from precision in (Precision[])[Precision.Tf32, Precision.Fp16, Precision.Bf16]
        from test in OpCases.All
        where precision == Precision.Tf32 || !BeyondHalf.Contains(test.Name)
        select new TheoryDataRow<Precision, string>(precision, test.Name));

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_operation_stays_within_its_precision(Precision precision, string name)
    {
        OpCase test = OpCases.Find(name);
        NetworkGraph graph = test.Graph();
        float[][] inputs = test.InputValues();
        Array[] expected = Running.Reference(graph, inputs);
        using CudaBackend backend = AllBackends.Open(precision);
        Array[] actual = Running.Run(backend, graph, inputs);
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] is not float[] values)
            {
                var labels = (ushort[])expected[i];
                int same = labels.Zip((ushort[])actual[i]).Count(pair => pair.First == pair.Second);
                Assert.True(same >= SameLabels * labels.Length,
                    $"{precision} {test}: {same} of {labels.Length} labels are the same");
                continue;
            }
            Difference difference = Tolerance.Measure((float[])actual[i], values);
            output.WriteLine($"{precision} {name} {difference.Max:0.0e+00}");
            Assert.True(difference.Max <= Limit(precision), $"{precision} {test}: {difference}");
        }
    }
}
