using Atrous.Backends.Cuda;
using Atrous.Backends.Cuda.Convolutions;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda.CUDNN;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>
/// Engines are timed once; what was chosen is kept, and a memory that is no good costs nothing but time.
/// </summary>
public sealed class TuningTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;
    private readonly List<string> _log = [];

    /// <summary>Convolutions of which cuDNN's engines, cuBLASLt's algorithms and both have a part.</summary>
    public static TheoryData<string> Convolutions =>
        ["conv_3x3_atrous6", "conv_residual", "conv_1x1_wide", "conv_HardSwish", "conv_groups", "conv_Silu"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Convolutions))]
    public void Whatever_way_is_fastest_computes_the_same(string name)
    {
        Run(name);
        Assert.Contains(_log, line => line.EndsWith("(timed)", StringComparison.Ordinal));
        _log.Clear();
        Run(name);
        Assert.Contains(_log, line => line.EndsWith("(kept)", StringComparison.Ordinal));
        Assert.DoesNotContain(_log, line => line.EndsWith("(timed)", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_candidate_of_a_convolution_computes_the_same()
    {
        foreach (string name in Convolutions.Select(row => row.Data))
        {
            // A kept choice is taken whatever it is, so that each can be made to run.
            Run(name);
            string file = Assert.Single(Directory.GetFiles(_folder));
            string text = File.ReadAllText(file);
            for (int engine = 0; engine < 3; engine++)
            {
                File.WriteAllText(file,
                    System.Text.RegularExpressions.Regex.Replace(text, "\"engine\":\\d+", $"\"engine\":{engine}"));
                Run(name);
            }
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"Machine\":\"another\",\"Choices\":{}}")]
    [InlineData("{\"Machine\":7}")]
    public void A_file_that_is_no_good_is_begun_anew(string content)
    {
        Run("conv_3x3");
        string file = Assert.Single(Directory.GetFiles(_folder));
        File.WriteAllText(file, content);
        _log.Clear();
        Run("conv_3x3");
        Assert.Contains(_log, line => line.Contains("is begun anew", StringComparison.Ordinal));
        Assert.Contains(_log, line => line.EndsWith("(timed)", StringComparison.Ordinal));
        Assert.Contains("\"Choices\":{\"Float32 1x9x11x8", File.ReadAllText(file));
    }

    [Fact]
    public void A_choice_that_the_library_has_no_more_is_made_anew()
    {
        Run("conv_3x3");
        string file = Assert.Single(Directory.GetFiles(_folder));
        File.WriteAllText(file,
            System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(file), "\"engine\":\\d+", "\"engine\":9999"));
        _log.Clear();
        Run("conv_3x3");
        Assert.Contains(_log, line => line.Contains("is not to be had any more", StringComparison.Ordinal));
        Assert.DoesNotContain("\"engine\":9999", File.ReadAllText(file));
    }

    [Fact]
    public void A_compiled_plan_is_kept_and_a_broken_one_is_made_anew()
    {
        SoftwareDevice.Require();
        // The choice is made to be the software device's engine that is compiled when it is planned.
        Run("conv_3x3");
        string file = Assert.Single(Directory.GetFiles(_folder));
        string folder = Path.ChangeExtension(file, null);
        Directory.CreateDirectory(folder);
        OpCase test = OpCases.Find("conv_3x3");
        ConvolutionChoice choice = new(ConvolutionChoice.Plain, 2, [2, 2]);
        string? problem = _log.Select(line => line.Split(": ")[0]).First();
        using (CudaBackend backend = Open(_folder))
        {
            GraphTensor x = GraphTensor.Packed(1, CudnnDataType.Float, 1, 8, 9, 11),
                w = GraphTensor.Packed(2, CudnnDataType.Float, 16, 8, 3, 3);
            using OperationGraph graph =
                OperationGraph.Convolution(backend.Device.Dnn, x, w, new(1, 1, 1, 1),
                GraphTensor.Packed(5, CudnnDataType.Float, 1, 16, 9, 11)).Build();
            using EngineConfig config = graph.CreateEngineConfig(choice.ToEngine());
            using ExecutionPlan plan = config.Plan();
            new PlanFiles(folder, _log.Add).Set(problem, choice, plan.ToJson()!);
        }
        // Generated JSON writes bytes that are null as an empty text.
        File.WriteAllText(
            file, System.Text.RegularExpressions.Regex.Replace(
                File.ReadAllText(file), "\"kind\":.*?\"algorithm\":(null|\"\")",
                "\"kind\":\"plain\",\"engine\":2,\"knobs\":[2,2],\"algorithm\":null"));
        string kept =
            Assert.Single(Directory.GetFiles(folder, "*.json"), path => File.ReadAllText(path)
            .Contains("\"engine\": 2", StringComparison.Ordinal));
        _log.Clear();
        Run("conv_3x3");
        Assert.Contains(
            _log, line => line.EndsWith("cuDNN engine 2, with kernels for the rest (kept)", StringComparison.Ordinal));
        Assert.DoesNotContain(_log, line => line.Contains("made anew", StringComparison.Ordinal));
        File.WriteAllText(kept, "{}");
        _log.Clear();
        Run("conv_3x3");
        Assert.Contains(_log, line => line.Contains("a plan that was kept is made anew", StringComparison.Ordinal));
        Assert.Contains(_log, line => line.EndsWith("(kept)", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_said_and_costs_nothing_else()
    {
        string blocked = Path.Combine(_folder, "file");
        File.WriteAllText(blocked, "");
        Run("conv_3x3", folder: Path.Combine(blocked, "engines"));
        Assert.Contains(_log, line => line.Contains("cannot be kept", StringComparison.Ordinal));
    }

    [Fact]
    public void Two_processes_keep_each_other_s_choices()
    {
        OpCase one = OpCases.Find("conv_3x3"), other = OpCases.Find("conv_5x5");
        using (CudaBackend first = Open(_folder), second = Open(_folder))
        {
            Running.Run(first, one.Graph(), one.InputValues());
            Running.Run(second, other.Graph(), other.InputValues());
        }
        _log.Clear();
        Run("conv_3x3");
        Run("conv_5x5");
        Assert.Equal(2, _log.Count(line => line.EndsWith("(kept)", StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_memory_to_time_in_the_first_proposal_is_taken()
    {
        SoftwareDevice.Require();
        OpCase test = OpCases.Find("conv_3x3");
        using CudaBackend backend = Open(_folder);
        using var executable = backend.Compile(test.Graph());
        // The first allocation of a first run is the stopwatch's.
        SoftwareDevice.FailAllocation(1);
        var actual = (float[])Running.Run(executable, test.Graph(), test.InputValues())[0];
        Tolerance.AssertWithin(
            5e-3, actual, (float[])Running.Reference(test.Graph(), test.InputValues())[0], "untimed");
        Assert.Contains(_log, line => line.Contains("not timed", StringComparison.Ordinal));
    }

    /// <summary>In tf32, for which the software device has several engines.</summary>
    private void Run(string name, string? folder = null)
    {
        OpCase test = OpCases.Find(name);
        using CudaBackend backend = Open(folder ?? _folder);
        var actual = (float[])Running.Run(backend, test.Graph(), test.InputValues())[0];
        Tolerance.AssertWithin(5e-3, actual, (float[])Running.Reference(test.Graph(), test.InputValues())[0], name);
    }

    private CudaBackend Open(string folder) =>
        AllBackends.Open(Precision.Tf32, new CudaOptions { Tuning = true, ChoiceFolder = folder, Log = _log.Add });
}
