using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Reference;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Models;
using Atrous.Tensors;
using Atrous.Tests.Models;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;
using Atrous.Verification;

namespace Atrous.Tests.Verification;

/// <summary>Layer by layer: a fault is found where it is, and looking changes nothing.</summary>
public sealed class LayerComparisonTests : IDisposable
{
    private const long Usual = LayerComparison.UsualBudget;
    private const string Broken = "backbone.block4.project.bn";

    private readonly GeneratedCheckpoint _checkpoint;
    private readonly Model _model;
    private readonly Tensor _input;
    private Value? _logits;

    public LayerComparisonTests()
    {
        Golden golden = Golden.Load(GeneratedModel.Name);
        _checkpoint = new GeneratedCheckpoint(golden);
        _model = new Model(GoldenNetworks.Describe(golden, _checkpoint), _checkpoint);
        _input = golden.Input();
    }

    public void Dispose()
    {
        _input.Dispose();
        _checkpoint.Dispose();
    }

    [Fact]
    public void The_layers_are_those_that_the_passes_leave()
    {
        IReadOnlyList<Node> layers = Intermediates.Of(Graph(out GraphBuilder graph));
        Assert.InRange(layers.Count, 50, 120);
        // With copies of all of them the passes leave the same operations in the same memory.
        NetworkGraph plain = Placed(Graph(graph)), copied = Placed(Intermediates.Copied(graph, layers));
        Assert.Equal(layers.Count, copied.Nodes.Count(node => node.Op is Crop));
        Assert.Equal(
            plain.Nodes.Select(node => (node.Op.Name, node.Output)),
            copied.Nodes.Where(node => node.Op is not Crop).Select(node => (node.Op.Name, node.Output)));
        Assert.Equal(plain.Slices.OrderBy(slice => slice.Key.Name), copied.Slices.OrderBy(slice => slice.Key.Name));

        static NetworkGraph Placed(NetworkGraph network) =>
            ElideConcat.Apply(GraphPasses.Apply(network, GraphPasses.FusionsOfLayers));
    }

    [Fact]
    public void What_is_stored_in_fewer_bits_is_seen_so()
    {
        using var cpu = new CpuBackend();
        using CpuBackend bf16 = AllBackends.OfBFloat16();
        LayerVerification[] layers = [.. LayerComparison.Of((bf16, _model), (cpu, _model), _input, Usual, default)];
        VerificationTolerance tolerance = VerificationTolerance.For(Precision.Bf16);
        Assert.All(layers, layer => Assert.True(tolerance.Allows(layer.Error), $"{layer}"));
        // The last linear bottleneck is the first value that is rounded, and what it is computed from is exact.
        int first = Array.FindIndex(layers, layer => layer.Error.Max > 0);
        Assert.Equal("backbone.block17.project.bn", layers[first].Name);
        // bfloat16 rounds by up to 1/256; the mean of that over a layer is not nothing anywhere.
        Assert.All(layers[first..], layer => Assert.InRange(layer.Error.Rms, 1e-4, tolerance.Rms));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1 << 20)]
    [InlineData(1)]
    public void Devices_that_agree_agree_in_every_layer_whatever_fits_into_memory(long budget)
    {
        using var cpu = new CpuBackend();
        using var reference = new ReferenceBackend();
        // With one layer a group the reference would run a hundred times.
        IBackend judge = budget == 1 ? cpu : reference;
        LayerVerification[] layers = [.. LayerComparison.Of((cpu, _model), (judge, _model), _input, budget, default)];
        Assert.Equal(
            Intermediates.Of(Graph(out _)).Select(node => node.Output.Name), layers.Select(layer => layer.Name));
        Assert.All(
            layers, layer => Assert.True(VerificationTolerance.For(Precision.Fp32).Allows(layer.Error), $"{layer}"));
        Assert.Equal("classifier", layers[^1].Name);
    }

    [Fact]
    public void A_fault_is_found_in_the_layer_that_has_it()
    {
        using var cpu = new CpuBackend();
        using var broken = new BrokenBackend(cpu);
        LayerVerification[] layers = [.. LayerComparison.Of((broken, _model), (cpu, _model), _input, Usual, default)];
        VerificationTolerance tolerance = VerificationTolerance.For(Precision.Bf16);
        int first = Array.FindIndex(layers, layer => !tolerance.Allows(layer.Error));
        Assert.Equal(Broken, layers[first].Name);
        Assert.Equal(nameof(Conv2d), layers[first].Op);
        Assert.All(layers[..first], layer => Assert.Equal(0, layer.Error.Max));
        Assert.False(tolerance.Allows(layers[^1].Error));
    }

    private NetworkGraph Graph(out GraphBuilder graph)
    {
        graph = new GraphBuilder();
        _logits = _model.Build(graph, graph.Input("image", _input.Shape)).Logits;
        return Graph(graph);
    }

    private NetworkGraph Graph(GraphBuilder graph) => graph.Build(_logits!);

    /// <summary>Doubles one layer's output.</summary>
    private sealed class BrokenBackend(IBackend inner) : IBackend
    {
        public string Name => "broken";

        public IExecutable Compile(NetworkGraph graph) => inner.Compile(graph with
        {
            Nodes = [.. graph.Nodes.Select(
                node => node.Output.Name == Broken ? node with { Op = Break((BatchNorm)node.Op) } : node)],
        });

        public void Dispose()
        {
        }

        private static BatchNorm Break(BatchNorm norm) => norm with
        {
            Scale = [.. norm.Scale.Select(scale => 2 * scale)],
        };
    }
}
