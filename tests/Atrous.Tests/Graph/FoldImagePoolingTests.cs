using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Tests.Graph;

/// <summary>
/// An image pooling in front of a projection becomes a term of it, wherever it stands, and nothing else does.
/// </summary>
public sealed class FoldImagePoolingTests
{
    private readonly GraphBuilder _builder = new();

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(1, 1, true)]
    [InlineData(2, 3, false)]
    [InlineData(2, 2, true)]
    public void It_computes_the_same_with_fewer_channels(int place, int batch, bool residual)
    {
        Value x = _builder.Input("x", new(batch, 5, 6, 8));
        Value y = Project(Aspp(x, place), kernel: 1, residual ? x : null);
        NetworkGraph graph = _builder.Build(y), folded = FoldImagePooling.Apply(graph);
        Assert.DoesNotContain(folded.Nodes, node => node.Op is ResizeBilinear);
        Assert.Equal(3 + 5, folded.Nodes.Single(node => node.Op is Concat).Output.Shape.Channels);
        float[] input = OpCase.Numbers("x", (int)x.Shape.Elements, 1);
        Tolerance.AssertWithin(
            1e-6, (float[])Running.Reference(folded, input)[0], (float[])Running.Reference(graph, input)[0], "folded");
    }

    [Fact]
    public void Graphs_of_other_shapes_share_the_parts_of_a_weight()
    {
        Weight weight = OpCase.Weight("project", 4, 12, 1, 1);
        Weight[][] parts = [.. new[] { 5, 9 }.Select(size =>
        {
            var builder = new GraphBuilder();
            Value x = builder.Input("x", new(1, size, size, 8));
            Value mean = builder.Add(
                "spread", new ResizeBilinear(size, size, Sampling.HalfPixel), builder.Input("mean", new(1, 1, 1, 4)));
            Value all = builder.Add("all", new Concat(), x, mean);
            Value y = builder.Add("y", new Conv2d(weight, null, null, 1, 1, Padding.None, 1, Activation.None), all);
            return FoldImagePooling.Apply(builder.Build(y)).Nodes.Select(node => node.Op).OfType<Conv2d>()
                .Select(conv => conv.Kernel).ToArray();
        })];
        Assert.Equal(2, parts[0].Length);
        Assert.Same(parts[0][0], parts[1][0]);
        Assert.Same(parts[0][1], parts[1][1]);
    }

    [Fact]
    public void A_projection_that_sees_neighbours_is_left_alone()
    {
        Value x = _builder.Input("x", new(1, 5, 6, 8));
        Unchanged(_builder.Build(Project(Aspp(x, 0), kernel: 3, null)));
    }

    [Fact]
    public void What_somebody_else_reads_is_left_alone()
    {
        Value x = _builder.Input("x", new(1, 5, 6, 8));
        Value all = Aspp(x, 1);
        Unchanged(_builder.Build(Project(all, kernel: 1, null), all));
    }

    [Fact]
    public void A_map_of_one_pixel_shares_the_parts_too()
    {
        Value x = _builder.Input("x", new(2, 1, 1, 8));
        Value y = Project(Aspp(x, 2), kernel: 1, null);
        NetworkGraph graph = _builder.Build(y), folded = FoldImagePooling.Apply(graph);
        Assert.Equal(3 + 5, folded.Nodes.Single(node => node.Op is Concat).Output.Shape.Channels);
        float[] input = OpCase.Numbers("x", (int)x.Shape.Elements, 1);
        Tolerance.AssertWithin(
            1e-6, (float[])Running.Reference(folded, input)[0], (float[])Running.Reference(graph, input)[0], "folded");
    }

    private static void Unchanged(NetworkGraph graph) => Assert.Equal(graph.Nodes, FoldImagePooling.Apply(graph).Nodes);

    private Value Aspp(Value x, int place)
    {
        Value mean = _builder.Add("mean", new GlobalAveragePool(), x);
        Value spread =
            _builder.Resize("spread", Conv("pool", mean, 4, 1), x.Shape.Height, x.Shape.Width, Sampling.AlignCorners);
        var branches = new List<Value> { Conv("a", x, 3, 1), Conv("b", x, 5, 3) };
        branches.Insert(place, spread);
        return _builder.Add("all", new Concat(), [.. branches]);
    }

    private Value Project(Value all, int kernel, Value? residual)
    {
        var conv = new Conv2d(
            OpCase.Weight("project", 8, all.Shape.Channels, kernel, kernel), OpCase.Numbers("scale", 8, 0.5, 1),
            OpCase.Numbers("bias", 8, 1), 1, 1,
            Padding.Symmetric(kernel / 2), 1, Activation.Relu);
        return residual is null ? _builder.Add("project", conv, all) : _builder.Add("project", conv, all, residual);
    }

    private Value Conv(string name, Value x, int outputs, int kernel) => _builder.Add(
        name, new Conv2d(OpCase.Weight(name, outputs, x.Shape.Channels, kernel, kernel), null, null, 1, 1,
        Padding.Symmetric(kernel / 2), 1, Activation.Relu), x);
}
