using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Tests.Backends;
using Atrous.Tests.Graph;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>
/// What a real device may refuse, or do late: results are the same, in every precision, timed and untimed.
/// </summary>
public sealed class StrictTests : IDisposable
{
    private static readonly string[] Convolutions =
    [
        "conv_3x3_atrous6", "conv_residual", "conv_residual_3x3", "conv_1x1_wide", "conv_Relu6", "conv_groups",
    ];

    public static IEnumerable<TheoryDataRow<int, Precision, bool>> Modes =>
        from how in Enum.GetValues<Strict>().Where(how => how != Strict.None)
        from precision in AllBackends.Precisions
        from tuning in (bool[])[false, true]
        where (tuning || how <= Strict.All)
            // One at a time in the two that differ most, together in all.
            && (how == Strict.All || precision is Precision.Fp32 or Precision.Fp16)
        select new TheoryDataRow<int, Precision, bool>((int)how, precision, tuning);

    public static IEnumerable<TheoryDataRow<int, Precision>> Networks =>
        from how in (Strict[])[Strict.All, Strict.All | Strict.WrongRuns | Strict.Capture]
        from precision in AllBackends.Precisions
        select new TheoryDataRow<int, Precision>((int)how, precision);

    public void Dispose()
    {
        if (SoftwareDevice.Used)
            SoftwareDevice.Reset();
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Convolutions_compute_the_same(int how, Precision precision, bool tuning)
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict((Strict)how);
        using CudaBackend backend = Open(precision, tuning, []);
        foreach (string name in Convolutions)
        {
            OpCase test = OpCases.Find(name);
            Check(precision, name, backend, test.Graph(), test.InputValues());
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Networks_with_slices_compute_the_same(int how, Precision precision)
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict((Strict)how);
        using CudaBackend backend = Open(precision, true, []);
        foreach (int seed in (int[])[3, 7])
        {
            NetworkGraph graph = RandomGraphs.Make(seed);
            Check(precision, $"random {seed}", backend, graph, RandomGraphs.Input(graph, seed));
        }
    }

    [Theory]
    [InlineData((int)Strict.Compiler, "COMPILATION_FAILED (4001)", "libnvrtc-builtins.so.13.0")]
    [InlineData((int)Strict.NoCompiler, "RUNTIME_PREREQUISITE_MISSING (3008)", "libnvrtc.so.13")]
    [InlineData((int)Strict.NoPart, "SUBLIBRARY_UNAVAILABLE (3009)", "libcudnn_engines_runtime_compiled.so.9")]
    public void What_no_compiler_compiles_is_said_once_in_one_sentence(int how, string status, string library)
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict((Strict)how);
        var warnings = new List<string>();
        var lines = new List<string>();
        using CudaBackend backend = Open(Precision.Fp16, true, warnings, line => { lock (lines) lines.Add(line); });
        foreach (string name in Convolutions)
            Running.Run(backend, OpCases.Find(name).Graph(), OpCases.Find(name).InputValues());
        string warning = Assert.Single(warnings);
        Assert.StartsWith("cuDNN cannot compile its fused engines (", warning);
        Assert.Contains(status, warning);
        Assert.Contains(library, warning);
        Assert.EndsWith("or name its folder in ATROUS_CUDA_PATH.", warning);
        // In the log it is said of every engine.
        Assert.True(lines.Count(line => line.Contains("cuDNN engine 2 cannot be built (", StringComparison.Ordinal)
            && line.Contains(status, StringComparison.Ordinal)) > 3);
    }

    [Fact]
    public void Numbers_of_pointwise_operations_are_doubles()
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict(Strict.Doubles);
        var lines = new List<string>();
        using var backend = AllBackends.Open(
            Precision.Fp16, new CudaOptions { Tuning = false, Log = lines.Add });
        foreach (string name in (string[])["conv_Relu6", "conv_LeakyRelu", "conv_Silu"])
            Running.Run(backend, OpCases.Find(name).Graph(), OpCases.Find(name).InputValues());
        Assert.Equal(3, lines.Count);
        Assert.DoesNotContain(lines, line => line.Contains("kernels for the rest", StringComparison.Ordinal));
    }

    private static void Check(
        Precision precision, string name, CudaBackend backend, NetworkGraph graph, params float[][] inputs)
    {
        // Several roundings in a row, as in whole networks; no wrong number is within.
        double limit = precision switch { Precision.Fp32 => 1e-4, Precision.Bf16 => 0.2, _ => 3e-2 };
        var expected = (float[])Running.Reference(graph, inputs)[0];
        using var executable = backend.Compile(graph);
        // Step by step, then captured.
        for (int run = 0; run < 2; run++)
        {
            Tolerance.AssertWithin(
                limit, (float[])Running.Run(executable, graph, inputs)[0], expected, $"{name} in {precision}");
        }
    }

    private static CudaBackend Open(
        Precision precision, bool tuning, List<string> warnings, Action<string>? log = null) => AllBackends.Open(
        precision, new CudaOptions
        {
            Tuning = tuning,
            Log = log,
            Warn = line => { lock (warnings) warnings.Add(line); },
        });
}
