using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Cuda.Tests.Dnn;

/// <summary>Convolution graphs against plain loops.</summary>
public sealed class ConvolutionTests : IDisposable
{
    private static readonly Pointwise Relu = new(PointwiseMode.ReluFwd),
        Relu6 = new(PointwiseMode.ReluFwd, UpperClip: 0.5f);
    private static readonly Pointwise Leaky = new(PointwiseMode.ReluFwd, LowerSlope: 0.1f),
        Sigmoid = new(PointwiseMode.SigmoidFwd), Swish = new(PointwiseMode.SwishFwd, SwishBeta: 1);

    /// <summary>Windows, rates, groups, epilogues; each runs in every storage.</summary>
    private static readonly Dictionary<string, ConvolutionCase> Cases = new()
    {
        ["3x3"] = new(default, 1, 8, 6, 7, 8, 3, 3, new(1, 1, 1, 1)),
        ["1x1 with bias"] = new(default, 2, 8, 5, 4, 16, 1, 1, new(0, 0, 0, 0), Bias: true),
        ["atrous, all in one"] = new(
            default, 1, 16, 9, 8, 8, 3, 3, new(6, 6, 6, 6, 1, 1, 6, 6), Bias: true, Residual: true, Activation: Relu),
        ["stride 2, unequal padding"] =
            new(default, 1, 8, 9, 9, 8, 3, 3, new(0, 0, 1, 1, 2, 2), Bias: true, Activation: Relu6),
        ["stem"] = new(default, 1, 8, 15, 15, 8, 7, 7, new(3, 3, 3, 3, 2, 2), Bias: true, Activation: Relu),
        ["groups"] = new(default, 1, 16, 5, 5, 8, 3, 3, new(1, 1, 1, 1), Groups: 2, Bias: true, Activation: Leaky),
        ["depthwise alone"] = new(default, 1, 8, 5, 5, 8, 3, 3, new(2, 2, 2, 2, 1, 1, 2, 2), Groups: 8),
        ["slice of a concatenation"] =
            new(default, 1, 8, 4, 4, 8, 3, 3, new(1, 1, 1, 1), Bias: true, Residual: true, Activation: Relu,
            ExtraPitch: 24),
        ["residual alone"] = new(default, 1, 8, 4, 4, 8, 1, 1, new(0, 0, 0, 0), Residual: true),
        ["sigmoid"] = new(default, 1, 8, 4, 4, 8, 1, 1, new(0, 0, 0, 0), Activation: Sigmoid),
        ["swish"] = new(default, 1, 8, 4, 4, 8, 1, 1, new(0, 0, 0, 0), Bias: true, Activation: Swish),
    };

    private readonly PrimaryContext _context = new();
    private readonly CudaStream _stream;
    private readonly CudaDNNContext _cudnn;

    public ConvolutionTests()
    {
        _context.SetCurrent();
        _stream = new CudaStream(_context);
        _cudnn = new CudaDNNContext(_context);
        _cudnn.SetStream(_stream);
    }

    public static IEnumerable<TheoryDataRow<string, string>> Rows =>
        from name in Cases.Keys
        from storage in (string[])["Fp32", "Fp16", "Bf16"]
        select new TheoryDataRow<string, string>(name, storage);

    public void Dispose()
    {
        _cudnn.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void It_says_its_versions()
    {
        Assert.Equal(9, CudaDNNContext.GetVersion().Major);
        Assert.InRange(CudaDNNContext.GetCudartVersion().Major, 12, 13);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_engine_computes_the_graph(string name, string storage)
    {
        ConvolutionCase problem = Cases[name] with { Storage = Enum.Parse<Storage>(storage) };
        using OperationGraph graph = problem.Build(_cudnn);
        int planned = 0;
        foreach (EngineConfig config in Engines.ConfigsOf(graph, HeuristicMode.A))
        {
            using (config)
            using (ExecutionPlan? plan = Engines.PlanOf(config))
            {
                // Engines that round more than the types ask for are for others; the backend leaves them out as well.
                if (plan is null || config.NumericalNotes.Any(note => note is not NumericalNote.TensorCore))
                    continue;
                planned++;
                AssertNear(problem, config.NumericalNotes.Contains(NumericalNote.TensorCore), Run(problem, plan));
            }
        }
        // Which graphs a real cuDNN fuses is its own affair: where it does not, the backend takes the sum alone.
        Assert.True(planned > 0 || !SoftwareDevice.Used);
    }

    [Fact]
    public void A_choice_that_was_kept_makes_the_same_plan()
    {
        ConvolutionCase problem = Cases["atrous, all in one"];
        using OperationGraph graph = problem.Build(_cudnn);
        foreach (EngineConfig config in Engines.ConfigsOf(graph, HeuristicMode.B))
        {
            using (config)
            {
                using EngineConfig again =
                    graph.CreateEngineConfig(new EngineChoice(config.Choice.Engine, [.. config.Choice.Knobs]));
                Assert.Equal(config.Choice.Engine, again.Choice.Engine);
                Assert.Equal(config.Choice.Knobs, again.Choice.Knobs);
                using ExecutionPlan? first = Engines.PlanOf(config), second = Engines.PlanOf(again);
                if (first is not null)
                    Assert.Equal(Run(problem, first), Run(problem, second!));
            }
        }
    }

    [Fact]
    public void A_plan_kept_as_json_computes_the_same()
    {
        ConvolutionCase problem = Cases["3x3"] with { Storage = Storage.Fp16, Bias = true, Activation = Relu };
        int kept = 0;
        using (OperationGraph graph = problem.Build(_cudnn))
        {
            foreach (EngineConfig config in Engines.ConfigsOf(graph, HeuristicMode.A))
            {
                using (config)
                using (ExecutionPlan? plan = Engines.PlanOf(config))
                {
                    if (plan?.ToJson() is not { } json)
                        continue;
                    kept++;
                    using ExecutionPlan again = ExecutionPlan.FromJson(_cudnn, json);
                    Assert.Equal(plan.WorkspaceSize, again.WorkspaceSize);
                    Assert.Equal(Run(problem, plan), Run(problem, again));
                }
            }
        }
        if (SoftwareDevice.Used)
            Assert.Equal(1, kept);
        Assert.Throws<CudaDNNException>(() => ExecutionPlan.FromJson(_cudnn, [.. "{}"u8]));
    }

    [Fact]
    public void A_captured_run_computes_what_a_direct_one_does_and_a_run_allocates_nothing()
    {
        ConvolutionCase problem = Cases["atrous, all in one"] with { Storage = Storage.Fp16 };
        using OperationGraph graph = problem.Build(_cudnn);
        using ExecutionPlan plan = Engines.FirstPlan(graph);
        using var tensors = new Tensors(_context, problem, plan.WorkspaceSize);
        for (int i = 0; i < 20; i++)
            plan.Execute(_cudnn, tensors.Pack);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
            plan.Execute(_cudnn, tensors.Pack);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        _stream.Synchronize();
        float[] direct = tensors.Result();

        tensors.ClearResult(_stream);
        _stream.Synchronize();
        _stream.BeginCapture();
        plan.Execute(_cudnn, tensors.Pack);
        using CudaGraph captured = _stream.EndCapture();
        using CudaGraphExec executable = captured.Instantiate();
        executable.Launch(_stream);
        _stream.Synchronize();
        Assert.Equal(direct, tensors.Result());
    }

    [Fact]
    public async Task Contexts_on_many_threads_do_not_mix()
    {
        ConvolutionCase problem = Cases["1x1 with bias"] with { Storage = Storage.Bf16 };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using (_context.Enter())
            using (var stream = new CudaStream(_context))
            using (var cudnn = new CudaDNNContext(_context))
            {
                cudnn.SetStream(stream);
                using OperationGraph graph = problem.Build(cudnn);
                using ExecutionPlan plan = Engines.FirstPlan(graph);
                using var tensors = new Tensors(_context, problem, plan.WorkspaceSize);
                for (int i = 0; i < 5; i++)
                {
                    plan.Execute(cudnn, tensors.Pack);
                    stream.Synchronize();
                    AssertNear(problem, false, tensors.Result());
                }
            }
        })));
    }

    private static void AssertNear(ConvolutionCase problem, bool tensorCores, float[] seen)
    {
        float[] expected = problem.Expected(tensorCores, out float[] tolerances);
        Assert.Equal(expected.Length, seen.Length);
        Assert.All(expected.Index(), value =>
            Assert.Equal(value.Item, seen[value.Index], tolerances[value.Index]));
    }

    private float[] Run(ConvolutionCase problem, ExecutionPlan plan)
    {
        using var tensors = new Tensors(_context, problem, plan.WorkspaceSize);
        plan.Execute(_cudnn, tensors.Pack);
        _stream.Synchronize();
        return tensors.Result();
    }
}
