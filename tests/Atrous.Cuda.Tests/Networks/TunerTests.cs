using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Backends.Cuda.Convolutions;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.ManagedCuda;
using Atrous.Tensors;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>What the choice of engines is made by, and what it costs.</summary>
public sealed class TunerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;
    private readonly List<string> _log = [];

    public void Dispose()
    {
        for (int engine = 0; SoftwareDevice.Used && engine < 3; engine++)
            SoftwareDevice.SetTime(engine, 0, 0);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_is_timed_is_the_device_and_not_the_host()
    {
        SoftwareDevice.Require();
        // One engine keeps the host busy and the device hardly, the others the other way round.
        SoftwareDevice.SetTime(0, 0, 3000);
        SoftwareDevice.SetTime(1, 20_000, 0);
        SoftwareDevice.SetTime(2, 0, 3000);
        Run("conv_3x3", Precision.Tf32);
        Assert.Contains("cuDNN engine 1", Assert.Single(_log, IsTimed));
    }

    [Theory]
    [InlineData((int)Strict.WrongRuns, "cuDNN engine 2, with kernels for the rest is no candidate (")]
    [InlineData((int)Strict.Capture, "cuDNN engine 1, with kernels for the rest is no candidate (")]
    public void An_engine_that_does_not_run_in_a_graph_is_no_candidate(int how, string line)
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict((Strict)how);
        Run("conv_3x3", Precision.Tf32);
        Assert.Contains(_log, seen => seen.Contains(line, StringComparison.Ordinal));
        Assert.Contains(_log, IsTimed);
    }

    [Fact]
    public void A_product_that_fails_is_no_candidate_and_what_fails_for_good_is_not_kept()
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict(Strict.WrongRuns);
        Run("conv_1x1_wide", Precision.Tf32);
        Assert.Contains(_log, line => line.Contains("cuBLASLt is no candidate (", StringComparison.Ordinal));
        Assert.Contains(_log, IsTimed);
    }

    [Fact]
    public void Both_orders_of_bias_and_residual_are_tried()
    {
        Run("conv_residual_3x3", Precision.Tf32);
        _log.Clear();
        Run("conv_residual", Precision.Tf32);
        // Whether there are engines for it is a GPU's own affair.
        if (SoftwareDevice.Used)
            Assert.Contains(_log, line => IsTried(line, ", bias first"));
        Assert.Contains(_log, line => IsTried(line, "cuBLASLt"));
    }

    [Fact]
    public void What_takes_much_longer_than_the_best_is_given_up()
    {
        SoftwareDevice.Require();
        SoftwareDevice.SetTime(0, 0, 3000);
        SoftwareDevice.SetTime(2, 0, 1000);
        long before = SoftwareDevice.Executed();
        Run("conv_3x3", Precision.Tf32);
        // The first is all that is known then; the second is the best; the third runs once, and in one graph of ten.
        Assert.Contains(_log, line => line.Contains("cuDNN engine 2, with kernels for the rest takes ",
            StringComparison.Ordinal));
        Assert.Contains(_log, line => line.Contains(
            "cuDNN engine 0, with kernels for the rest is no candidate (about ", StringComparison.Ordinal));
        // To the end each would take these, without what the network's run itself takes.
        const int whole = 1 + ConvolutionTimer.Repeats * (1 + 2 * ConvolutionTimer.Rounds);
        Assert.True(SoftwareDevice.Executed() - before < 3 * whole);
    }

    [Fact]
    public void A_candidate_that_ends_the_device_is_not_tried_again()
    {
        SoftwareDevice.Require();
        // Once it may have been somebody else's fault.
        for (int lost = 1; lost <= 2; lost++)
        {
            SoftwareDevice.Lose(0, 3);
            Assert.Throws<DeviceLostException>(() => Run("conv_3x3", Precision.Tf32));
            SoftwareDevice.Reset();
            Assert.Equal(lost, Marks().Length);
        }
        _log.Clear();
        Run("conv_3x3", Precision.Tf32);
        Assert.Contains(_log, line => line.EndsWith(
            "cuDNN engine 2, with kernels for the rest is left out, since what tried it before did not outlive it",
            StringComparison.Ordinal));
        Assert.DoesNotContain(_log, line => line.Contains("engine 2, with kernels for the rest takes",
            StringComparison.Ordinal));
        Assert.Contains(_log, IsTimed);
    }

    [Fact]
    public void A_candidate_whose_process_ended_is_tried_once_more()
    {
        var choice = new ConvolutionChoice(ConvolutionChoice.Plain, 2, [2, 2]);
        var living = new TrialMarks(_folder, _log.Add);
        for (int ended = 0; ended < 3; ended++)
        {
            Assert.Equal(ended >= 2, new TrialMarks(_folder, _log.Add).IsSuspect("problem", choice));
            Assert.False(new TrialMarks(_folder, _log.Add).IsSuspect("another problem", choice));
            string own;
            using (living.Begin("problem", choice))
            {
                // As long as it is tried nobody takes it for one that ended.
                Assert.Equal(ended >= 2, new TrialMarks(_folder, _log.Add).IsSuspect("problem", choice));
                own = Marks().Single(path => Path.GetFileName(path).Length > 20);
            }
            // What a process leaves that is ended.
            File.WriteAllText(Path.Combine(_folder, $"{ended}.trial"), "problem: plain 2 2 2 \n");
            Assert.False(File.Exists(own));
        }
        Assert.Empty(_log);
    }

    [Fact]
    public void Cancelling_is_looked_at_between_convolutions_and_loses_no_choice()
    {
        NetworkGraph graph = Two(out float[] input);
        using var source = new CancellationTokenSource();
        using (CudaBackend backend = Open(Precision.Tf32, line =>
        {
            if (IsTimed(line))
                source.Cancel();
        }))
        {
            using IExecutable executable = backend.Compile(graph);
            using Tensor given = Layout.TensorOf(graph.Inputs[0].Shape, input), made = new(graph.Outputs[0].Shape);
            Assert.ThrowsAny<OperationCanceledException>(() => executable.Run([given], [made], source.Token));
            Assert.Single(_log, IsTimed);
            Assert.Contains("\"ms\":", File.ReadAllText(Assert.Single(Directory.GetFiles(_folder, "*.json"))));
            executable.Run([given], [made]);
            Tolerance.AssertWithin(
                5e-3, Layout.Values(made), (float[])Running.Reference(graph, input)[0], "after a cancelled run");
        }
        Assert.Single(_log, line => line.EndsWith("(kept)", StringComparison.Ordinal));
        Assert.Equal(2, _log.Count(IsTimed));
    }

    [Fact]
    public void When_the_time_is_spent_the_first_proposal_is_taken_and_not_kept()
    {
        Run("conv_3x3", Precision.Tf32, TimeSpan.Zero);
        Assert.Single(_log, line =>
            line.EndsWith("(proposed, the time for choosing is spent)", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(_folder));
        Run("conv_3x3", Precision.Tf32);
        Assert.Contains(_log, IsTimed);
    }

    [Fact]
    public void A_slice_is_kept_only_where_it_is_faster_than_a_copy()
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict(Strict.Slices);
        NetworkGraph graph = Sliced(out float[] input);
        var expected = (float[])Running.Reference(graph, input)[0];
        // Only engine 1 is quick, and it takes packed tensors only.
        SoftwareDevice.SetTime(0, 0, 3000);
        SoftwareDevice.SetTime(2, 0, 3000);
        Refused();
        string file = Assert.Single(Directory.GetFiles(_folder, "*.json"));
        string text = File.ReadAllText(file);
        Assert.Contains("\"kind\":\"copy\"", text);
        // A process knows by what another has kept how long a copy takes.
        foreach ((string milliseconds, int refused) in (ReadOnlySpan<(string, int)>)[("1000", 0), ("0.001", 1)])
        {
            File.WriteAllText(file, System.Text.RegularExpressions.Regex.Replace(
                text, "(\"kind\":\"copy\"[^}]*\"ms\":)[0-9.E+-]+", "${1}" + milliseconds));
            Assert.Equal(refused, Refused());
        }

        int Refused()
        {
            _log.Clear();
            using CudaBackend backend = Open(Precision.Tf32, _ => { });
            Tolerance.AssertWithin(5e-3, (float[])Running.Run(backend, graph, input)[0], expected, "slices");
            return _log.Count(line => line.StartsWith("no engine for slices", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(CudaOptions.TuningVariable, "soon", "off or a number of seconds")]
    [InlineData(CudaOptions.MemoryVariable, "-3", "a number of mebibytes")]
    public void A_variable_that_makes_no_sense_is_said(string variable, string value, string meaning)
    {
        string? before = Environment.GetEnvironmentVariable(variable);
        try
        {
            Environment.SetEnvironmentVariable(variable, value);
            UnavailableException e = Assert.Throws<UnavailableException>(() => new CudaOptions());
            Assert.Equal($"{variable} is '{value}'; it may be {meaning}.", e.Message);
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, before);
        }
    }

    [Fact]
    public void A_limit_of_memory_holds_and_is_said()
    {
        NetworkGraph graph = Two(out float[] input);
        using CudaBackend backend = AllBackends.Open(
            Precision.Fp32, new CudaOptions { Tuning = false, MemoryLimit = 21_000 });
        MemoryException e = Assert.ThrowsAny<MemoryException>(() => Running.Run(backend, graph, input));
        Assert.Contains("of ATROUS_CUDA_MEMORY are in use", e.Message);
        Assert.InRange(backend.PeakDeviceBytes, 20_000, 21_000);
    }

    [Fact]
    public void Turing_computes_in_fp32_and_fp16_and_says_what_it_cannot()
    {
        SoftwareDevice.Require();
        SoftwareDevice.SetCapability(75);
        Run("conv_residual", Precision.Fp16);
        Run("depthwise_3x3", Precision.Fp32);
        foreach (Precision precision in (Precision[])[Precision.Bf16, Precision.Tf32])
        {
            UnavailableException e = Assert.Throws<UnavailableException>(() => AllBackends.Open(precision));
            Assert.Matches(@"compute capability 7\.5, and (bf16|tf32) needs 8\.0; use fp16 or fp32\.$", e.Message);
            Assert.Equal(Remedy.ChangePrecision, e.Remedy);
        }
        SoftwareDevice.SetCapability(70);
        Assert.False(CudaDevices.List()[0].Available);
    }

    [Theory]
    [InlineData(214)]
    [InlineData(220)]
    [InlineData(700)]
    [InlineData(710)]
    [InlineData(714)]
    [InlineData(715)]
    [InlineData(716)]
    [InlineData(717)]
    [InlineData(718)]
    [InlineData(719)]
    public void Errors_that_end_a_context_are_known_by_their_numbers(int number) =>
        Assert.True(CudaFailure.IsLasting(new CudaException((CUResult)number, "call", "name", "text")));

    private string[] Marks() => Directory.GetFiles(_folder, "*.trial", SearchOption.AllDirectories);

    /// <summary>What runs, whether it was timed to the end or, on a machine that does much else, given up.</summary>
    private static bool IsTried(string line, string algorithm) =>
        line.Contains($"{algorithm} takes ", StringComparison.Ordinal)
        || line.Contains($"{algorithm} is no candidate (about ", StringComparison.Ordinal);

    private static bool IsTimed(string line) => line.EndsWith("(timed)", StringComparison.Ordinal);

    private static NetworkGraph Two(out float[] input)
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 5, 6, 16));
        Value y = builder.Add("b", Conv("b", 8, 24), builder.Add("a", Conv("a", 24, 16), x));
        input = OpCase.Numbers("x", (int)x.Shape.Elements, 1);
        return builder.Build(y);
    }

    private static NetworkGraph Sliced(out float[] input)
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 5, 6, 16));
        Value a = builder.Add("a", Conv("a", 24, 16), x);
        Value c = builder.Add("c", new Concat(), a, builder.Add("b", Conv("b", 16, 24), a));
        input = OpCase.Numbers("x", (int)x.Shape.Elements, 1);
        return builder.Build(builder.Add("y", Conv("y", 8, 40), c));
    }

    private static Conv2d Conv(string name, int outputs, int inputs) => new(
        OpCase.Weight(name, outputs, inputs, 3, 3), null, null, 1, 1, Padding.Symmetric(1), 1, Activation.None);

    private void Run(string name, Precision precision, TimeSpan? time = null)
    {
        OpCase test = OpCases.Find(name);
        using CudaBackend backend = Open(precision, _ => { }, time);
        var actual = (float[])Running.Run(backend, test.Graph(), test.InputValues())[0];
        Tolerance.AssertWithin(5e-3, actual, (float[])Running.Reference(test.Graph(), test.InputValues())[0], name);
    }

    private CudaBackend Open(Precision precision, Action<string> log, TimeSpan? time = null) => AllBackends.Open(
        precision,
        new CudaOptions
        {
            Tuning = true,
            TuningTime = time,
            ChoiceFolder = _folder,
            Warn = null,
            Log = line =>
            {
                lock (_log)
                    _log.Add(line);
                log(line);
            },
        });
}
