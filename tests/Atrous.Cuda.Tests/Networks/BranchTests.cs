using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Backends;
using Atrous.Tests.Graph;
using Atrous.Tests.Models;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>
/// Steps that do not need each other are captured as branches. The software device runs the nodes of a graph in the
/// order that was not recorded, wherever the graph allows it: a missing edge is a wrong result.
/// </summary>
public sealed class BranchTests : IDisposable
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    public static TheoryData<string> Networks =>
    [
        "vainf_deeplabv3plus_mobilenet_os16_sep_97x129", "tramac_denseaspp_densenet121_97x129",
        "smp_deeplabv3plus_mit_b0_os16_96x128", "unimatch_resnet50_os8_97x129",
    ];

    public void Dispose()
    {
        if (SoftwareDevice.Used)
            SoftwareDevice.Reset();
    }

    [Fact]
    public void A_pyramid_s_branches_have_a_lane_each_and_meet_again()
    {
        (NetworkGraph graph, _) = Pyramid();
        using CudaBackend backend = AllBackends.Open(Precision.Fp16);
        using DevicePlan plan = PlanOf(backend, graph);
        Assert.Equal(5, plan.Lanes.Count);
        int join = Index(plan, "project");
        int[] branches = [.. Enumerable.Range(0, 5).Select(i => Index(plan, $"branch{i}"))];
        foreach (int branch in branches)
        {
            Assert.True(plan.Lanes.IsBefore(branch, join));
            Assert.All(branches.Where(other => other != branch), other =>
                Assert.False(plan.Lanes.IsBefore(branch, other)));
        }
        Assert.Empty(plan.Lanes.Ends);
    }

    [Fact]
    public void What_fills_the_device_or_is_asked_to_wait_has_one_lane()
    {
        (NetworkGraph graph, _) = Pyramid();
        using CudaBackend off = AllBackends.Open(Precision.Fp16, new CudaOptions { Tuning = false, Branches = false });
        using DevicePlan inTurn = PlanOf(off, graph);
        Assert.Equal(1, inTurn.Lanes.Count);
        using CudaBackend on = AllBackends.Open(Precision.Fp16);
        long full = on.Device.Properties.MultiProcessorCount * 128L * 128;
        int size = (int)Math.Ceiling(Math.Sqrt(full / 16.0));
        using DevicePlan large = PlanOf(on, Pyramid(size).Graph);
        Assert.All(
            large.Steps.Zip(large.Lanes.Steps).Where(step => step.First.Node!.Output.Shape.Height == size),
            step => Assert.Equal(0, step.Second.Lane));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_networks_compute_the_same_in_the_other_order(int seed)
    {
        if (SoftwareDevice.Used)
            SoftwareDevice.BeStrict(Strict.Branches | Strict.Handles);
        NetworkGraph graph = RandomGraphs.Make(seed, 40);
        float[] input = RandomGraphs.Input(graph, seed);
        using CudaBackend backend = AllBackends.Open(Precision.Fp16);
        using IExecutable executable = backend.Compile(graph);
        Array[] inTurn = Running.Run(executable, graph, input);
        for (int run = 0; run < 2; run++)
            Assert.Equal(inTurn, Running.Run(executable, graph, input));
        if (SoftwareDevice.Used)
            Assert.Equal(1, SoftwareDevice.Count(Live.GraphExecs));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Whole_networks_compute_the_same_in_the_other_order(string name)
    {
        if (SoftwareDevice.Used)
            SoftwareDevice.BeStrict(Strict.Branches | Strict.Handles);
        var lines = new List<string>();
        using CudaBackend backend = AllBackends.Open(
            Precision.Fp32, new CudaOptions { Tuning = false, Log = lines.Add });
        GoldenNetworks.Run(Golden.Load(name), backend, Tolerance.Network, runs: 3);
        Assert.DoesNotContain(lines, line => line.Contains("cannot be captured", StringComparison.Ordinal));
    }

    [Fact]
    public void What_cannot_be_captured_on_several_streams_is_captured_on_one()
    {
        SoftwareDevice.Require();
        SoftwareDevice.BeStrict(Strict.OneStream | Strict.Handles);
        (NetworkGraph graph, float[] input) = Pyramid();
        var lines = new List<string>();
        using CudaBackend backend = AllBackends.Open(
            Precision.Fp16, new CudaOptions { Tuning = false, Log = lines.Add });
        using IExecutable executable = backend.Compile(graph);
        Array[] first = Running.Run(executable, graph, input);
        for (int run = 0; run < 2; run++)
            Assert.Equal(first, Running.Run(executable, graph, input));
        Assert.Equal(1, SoftwareDevice.Count(Live.GraphExecs));
        // It is said once, and not tried by the frame of another thread.
        SoftwareDevice.SetDelay(2000);
        Parallel.For(0, 2, _ => Assert.Equal(first, Running.Run(executable, graph, input)));
        Assert.Single(lines, line => line.Contains("cannot be captured on several streams and runs on one: ",
            StringComparison.Ordinal));
    }

    private static DevicePlan PlanOf(CudaBackend backend, NetworkGraph network)
    {
        var graph = DeviceGraph.Of(network, backend.Storage, false);
        DeviceSteps.Send(graph, backend.Storage, backend.Weights);
        return backend.Plan(graph, null, "a test", CancellationToken.None);
    }

    private static int Index(DevicePlan plan, string name) =>
        plan.Steps.Index().Last(step => step.Item.Node!.Output.Name == name).Index;

    /// <summary>Four branches of a pyramid, one of which takes two steps, and an image's mean.</summary>
    private static (NetworkGraph Graph, float[] Input) Pyramid(int size = 9)
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, size, size, 16));
        Value features = Conv("features", x, 16, 3, 1);
        Value[] branches =
        [
            Conv("branch0", features, 16, 1, 1), Conv("branch1", features, 16, 3, 2),
            Conv("branch2", features, 16, 3, 3), Conv("branch3", Conv("inner", features, 16, 3, 1), 16, 1, 1),
            Conv("branch4", builder.Add("mean", new GlobalAveragePool(), features), 16, 1, 1),
        ];
        Value spread = builder.Add("spread", new ResizeBilinear(size, size, Sampling.HalfPixel), branches[4]);
        Value joined = builder.Add("joined", new Concat(), [.. branches[..4], spread]);
        NetworkGraph graph = builder.Build(Conv("project", joined, 16, 1, 1));
        return (graph, OpCase.Numbers("x", (int)x.Shape.Elements, 1));

        Value Conv(string name, Value from, int channels, int kernel, int rate) => builder.Add(
            name, new Conv2d(
                OpCase.Weight(name, channels, from.Shape.Channels, kernel, kernel), null,
                OpCase.Numbers($"{name}.bias", channels, 1), 1, rate, Padding.Symmetric(rate * (kernel / 2)), 1,
                Activation.Relu), from);
    }
}
