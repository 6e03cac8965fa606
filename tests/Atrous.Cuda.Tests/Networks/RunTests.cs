using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Backends;
using Atrous.Tests.Graph;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>
/// How a network runs: step by step at first, then captured; on many threads; cancelled; disposed meanwhile.
/// </summary>
public sealed class RunTests
{
    public static TheoryData<Precision> Precisions => [.. AllBackends.Precisions];

    [Fact]
    public void Bytes_are_refused_in_a_sentence() => Assert.Contains(
        "do not compute in int8", Assert.Throws<UnavailableException>(() => AllBackends.Open(Precision.Int8)).Message);

    [Theory]
    [MemberData(nameof(Precisions))]
    public void A_captured_run_has_the_bits_of_the_first(Precision precision)
    {
        NetworkGraph graph = RandomGraphs.Make(7);
        float[] input = RandomGraphs.Input(graph, 7);
        using CudaBackend backend = AllBackends.Open(precision);
        using IExecutable executable = backend.Compile(graph);
        Array[] first = Running.Run(executable, graph, input);
        Assert.Equal(0, SoftwareDevice.Used ? SoftwareDevice.Count(Live.GraphExecs) : 0);
        for (int i = 0; i < 3; i++)
            Assert.Equal(first, Running.Run(executable, graph, input));
        Assert.Equal(1, SoftwareDevice.Used ? SoftwareDevice.Count(Live.GraphExecs) : 1);
        // Another input must get through to the graph that was captured with the first.
        Assert.NotEqual(first[0], Running.Run(executable, graph, [.. input.Select(value => value / 2 + 0.1f)])[0]);
    }

    [Fact]
    public void A_warm_run_allocates_nothing()
    {
        OpCase test = OpCases.Find("conv_residual");
        using CudaBackend backend = AllBackends.Open(Precision.Fp16);
        NetworkGraph graph = test.Graph();
        using IExecutable executable = backend.Compile(graph);
        Tensor[] inputs = [.. test.Inputs.Select((shape, i) => Layout.TensorOf(shape, test.InputValues()[i]))];
        Tensor[] outputs = [new(graph.Outputs[0].Shape)];
        for (int i = 0; i < 5; i++)
            executable.Run(inputs, outputs);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            executable.Run(inputs, outputs);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        foreach (Tensor tensor in inputs.Concat(outputs))
            tensor.Dispose();
    }

    [Fact]
    public void Weights_are_sent_once_for_all_shapes()
    {
        using CudaBackend backend = AllBackends.Open(Precision.Bf16);
        long sent = 0;
        Weight weight = OpCase.Weight("shared.weight", 32, 24, 3, 3);
        for (int size = 6; size < 9; size++)
        {
            var builder = new GraphBuilder();
            float[] bias = OpCase.Numbers("shared.bias", 32, 1);
            Value x = builder.Input("x", new(1, size, size, 24));
            Value y =
                builder.Add("y", new Conv2d(weight, null, bias, 1, 1, Padding.Symmetric(1), 1, Activation.Relu), x);
            NetworkGraph graph = builder.Build(y);
            Running.Run(backend, graph, OpCase.Numbers("shared.x", (int)x.Shape.Elements, 1));
            Assert.Equal(sent == 0 ? backend.WeightBytes : sent, backend.WeightBytes);
            sent = backend.WeightBytes;
        }
        Assert.Equal((32 * 24 * 9 + 32) * 2 + 32 * 4, sent);
        // On a GPU an engine may want a workspace as well.
        Assert.InRange(backend.PeakDeviceBytes, sent + 1, SoftwareDevice.Used ? 1 << 20 : 1 << 28);
    }

    [Fact]
    public void Many_threads_run_one_network_at_once()
    {
        NetworkGraph graph = RandomGraphs.Make(3);
        using CudaBackend backend = AllBackends.Open(Precision.Fp16);
        using IExecutable executable = backend.Compile(graph);
        float[][] inputs = [.. Enumerable.Range(0, 4).Select(i => RandomGraphs.Input(graph, i))];
        Array[][] expected = [.. inputs.Select(input => Running.Run(executable, graph, input))];
        Parallel.For(0, 24, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            Assert.Equal(expected[i % 4], Running.Run(executable, graph, inputs[i % 4])));
    }

    /// <summary>The device's memory, and what is pinned on the host for what is sent and for what comes back.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Threads_take_turns_where_memory_is_for_fewer(int allocation)
    {
        SoftwareDevice.Require();
        NetworkGraph graph = RandomGraphs.Make(3);
        float[] input = RandomGraphs.Input(graph, 3);
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        using IExecutable executable = backend.Compile(graph);
        Array[] expected = Running.Run(executable, graph, input);
        SoftwareDevice.SetDelay(200);
        Task<Array[]>[] runs = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            SoftwareDevice.FailAllocation(allocation);
            return Running.Run(executable, graph, input);
        }))];
        foreach (Array[] result in await Task.WhenAll(runs))
            Assert.Equal(expected, result);
    }

    [Fact]
    public async Task A_run_that_is_under_way_ends_well_when_all_is_disposed()
    {
        NetworkGraph graph = RandomGraphs.Make(5);
        float[] input = RandomGraphs.Input(graph, 5);
        CudaBackend backend = AllBackends.Open(Precision.Fp32);
        IExecutable executable = backend.Compile(graph);
        Array[] expected = Running.Run(executable, graph, input);
        if (SoftwareDevice.Used)
            SoftwareDevice.SetDelay(2000);
        using var started = new ManualResetEventSlim();
        Task<Array[]> run = Task.Run(() =>
        {
            started.Set();
            return Running.Run(executable, graph, input);
        });
        started.Wait();
        executable.Dispose();
        Thread.Sleep(20);
        backend.Dispose();
        try
        {
            Assert.Equal(expected, await run);
        }
        catch (ObjectDisposedException)
        {
            // It had not begun; the software device's counters show that nothing was left behind.
        }
        Assert.Throws<ObjectDisposedException>(() => Running.Run(executable, graph, input));
        Assert.Throws<ObjectDisposedException>(() => backend.Compile(graph));
    }

    [Fact]
    public void An_executable_that_is_disposed_still_runs_and_keeps_nothing()
    {
        NetworkGraph graph = RandomGraphs.Make(5);
        float[] input = RandomGraphs.Input(graph, 5);
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        IExecutable executable = backend.Compile(graph);
        Array[] expected = Running.Run(executable, graph, input);
        executable.Dispose();
        long kept = SoftwareDevice.Used ? SoftwareDevice.Count(Live.Allocations) : 0;
        Assert.Equal(expected, Running.Run(executable, graph, input));
        Assert.Equal(kept, SoftwareDevice.Used ? SoftwareDevice.Count(Live.Allocations) : 0);
    }

    [Fact]
    public void Slices_that_no_engine_writes_are_copied()
    {
        SoftwareDevice.Require();
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 5, 6, 16));
        Value a =
            builder.Add(
                "a", new Conv2d(
                    OpCase.Weight("a", 24, 16, 3, 3), null, null, 1, 2, Padding.Symmetric(2), 1, Activation.Relu), x);
        Value b =
            builder.Add(
                "b", new Conv2d(
                    OpCase.Weight("b", 16, 24, 3, 3), null, null, 1, 1, Padding.Symmetric(1), 1, Activation.None), a);
        Value c = builder.Add("c", new Concat(), a, b, a, builder.Add("d", new Activate(Activation.Silu), b));
        Value y = builder.Add(
            "y", new Conv2d(OpCase.Weight("y", 8, 80, 1, 1), null, null, 1, 1, Padding.None, 1, Activation.None), c);
        NetworkGraph graph = builder.Build(y);
        float[] input = OpCase.Numbers("x", (int)x.Shape.Elements, 1);
        var expected = (float[])Running.Reference(graph, input)[0];
        var lines = new List<string>();
        using CudaBackend backend =
            AllBackends.Open(Precision.Fp32, new CudaOptions { Tuning = false, Log = lines.Add });
        Tolerance.AssertWithin(1e-5, (float[])Running.Run(backend, graph, input)[0], expected, "slices");
        Assert.DoesNotContain(lines, line => line.StartsWith("no engine for slices", StringComparison.Ordinal));
        SoftwareDevice.RefuseSlices(1);
        try
        {
            Tolerance.AssertWithin(1e-5, (float[])Running.Run(backend, graph, input)[0], expected, "no slices");
        }
        finally
        {
            SoftwareDevice.RefuseSlices(0);
        }
        Assert.Contains(lines, line => line.StartsWith("no engine for slices", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, Precision.Fp32, " b1 r8 Relu")]
    [InlineData(2, Precision.Fp32, " b0 r8 None")]
    [InlineData(1, Precision.Fp16, " b1 r8 Relu")]
    [InlineData(3, Precision.Bf16, " b0 r8 None")]
    public void Image_pooling_is_a_bias_of_the_projection_where_there_is_one_picture(
        int batch, Precision precision, string problem)
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(batch, 5, 6, 8));
        Value mean = builder.Add("mean", new GlobalAveragePool(), x);
        Value spread = builder.Add(
            "spread", new ResizeBilinear(5, 6, Sampling.HalfPixel), builder.Add("pool", Conv("pool", 16, 8), mean));
        Value branch = builder.Add("branch", Conv("branch", 24, 8), x);
        Value y = builder.Add("y", Conv("project", 8, 40), builder.Add("all", new Concat(), branch, spread), x);
        NetworkGraph graph = builder.Build(builder.Add("window", new Crop(1, 1, 3, 4), y));
        float[] input = OpCase.Numbers("x", (int)x.Shape.Elements, 1);
        var lines = new List<string>();
        using CudaBackend backend = AllBackends.Open(precision, new CudaOptions { Tuning = false, Log = lines.Add });
        double limit = precision switch { Precision.Fp32 => 1e-5, Precision.Fp16 => 1e-2, _ => 8e-2 };
        Tolerance.AssertWithin(limit, (float[])Running.Run(backend, graph, input)[0],
            (float[])Running.Reference(graph, input)[0], "pooled");
        Assert.Contains(lines, line => line.Contains(problem, StringComparison.Ordinal));

        Conv2d Conv(string name, int outputs, int inputs) => new(
            OpCase.Weight(name, outputs, inputs, 1, 1), null, OpCase.Numbers($"{name}.bias", outputs, 1), 1, 1,
            Padding.None, 1, Activation.Relu);
    }

    [Fact]
    public void A_cancelled_run_leaves_the_network_usable()
    {
        OpCase test = OpCases.Find("conv_3x3");
        NetworkGraph graph = test.Graph();
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        using IExecutable executable = backend.Compile(graph);
        var expected = (float[])Running.Run(executable, graph, test.InputValues())[0];
        using var input = Layout.TensorOf(test.Inputs[0], test.InputValues()[0]);
        using var output = new Tensor(graph.Outputs[0].Shape);
        if (SoftwareDevice.Used)
            SoftwareDevice.SetDelay(100_000);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(30));
        // It is looked at again when the device has finished.
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            do
                executable.Run([input], [output], soon.Token);
            while (!soon.IsCancellationRequested);
            soon.Token.ThrowIfCancellationRequested();
        });
        if (SoftwareDevice.Used)
            SoftwareDevice.SetDelay(0);
        Assert.Equal(expected, (float[])Running.Run(executable, graph, test.InputValues())[0]);
    }
}
