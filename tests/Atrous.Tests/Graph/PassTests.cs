using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Tests.Graph;

/// <summary>Each pass does what it says, leaves alone what it must, and never changes a result.</summary>
public sealed class PassTests
{
    private const int Seeds = 40;

    private static readonly Shape Size = new(1, 6, 7, 4);

    private static readonly IReadOnlyList<GraphPass> All = [.. GraphPasses.Fusions, .. GraphPasses.Layout];

    private readonly GraphBuilder _builder = new();
    private readonly Value _x;

    public PassTests() => _x = _builder.Input("x", Size);

    public static TheoryData<int> Passes => [.. Enumerable.Range(0, All.Count)];

    [Theory]
    [MemberData(nameof(Passes))]
    public void Each_pass_keeps_the_results_of_random_networks(int pass)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            // The passes before it, as in the standard order, so that it meets what it is made for.
            NetworkGraph graph = GraphPasses.Apply(RandomGraphs.Make(seed), All.Take(pass));
            AssertSame(graph, All[pass].Apply(graph), seed);
        }
    }

    [Fact]
    public void Together_they_shrink_random_networks()
    {
        int before = 0, after = 0, placed = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            NetworkGraph graph = RandomGraphs.Make(seed), optimized = GraphPasses.ApplyAll(graph);
            before += graph.Nodes.Count;
            after += optimized.Nodes.Count;
            placed += optimized.Slices.Count;
            AssertSame(graph, optimized, seed);
        }
        Assert.True(after < 0.8 * before, $"{before} nodes became {after}");
        Assert.True(placed > Seeds, $"{placed} slices");
    }

    [Fact]
    public void A_second_time_changes_nothing()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            NetworkGraph once = GraphPasses.ApplyAll(RandomGraphs.Make(seed)), twice = GraphPasses.ApplyAll(once);
            Assert.Equal(once.Nodes, twice.Nodes);
            Assert.Equal(once.Slices, twice.Slices);
        }
    }

    [Fact]
    public void Storing_bfloat16_keeps_the_results_of_random_networks()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            NetworkGraph graph = RandomGraphs.Make(seed), stored = GraphPasses.ApplyAll(graph, DType.BFloat16);
            AssertSame(graph, stored, seed);
            // A value and its place have one type, so that a slice of bfloat16 never lies in float32.
            Assert.All(stored.Slices, slice => Assert.Equal(slice.Value.Parent.Type, slice.Key.Type));
        }
    }

    [Fact]
    public void BFloat16_stays_inside_and_scores_stay_float32()
    {
        Value features = Conv(_x, 4), logits = Conv(features, 3);
        Value labels = Add(new Argmax(), Add(new ResizeBilinear(12, 14, Sampling.HalfPixel), logits));
        NetworkGraph graph = Apply(StoreAsBFloat16.Apply, labels);
        Assert.Equal(
            [DType.BFloat16, DType.Float32, DType.Float32, DType.UInt16], graph.Nodes.Select(node => node.Output.Type));
        Assert.Equal([_x], graph.Inputs);
        Assert.Equal([labels], graph.Outputs);
    }

    [Fact]
    public void A_value_that_is_needed_in_both_types_is_converted_once()
    {
        Value features = Conv(_x, 4), doubled = Add(new Binary(BinaryKind.Add, Activation.None), features, features);
        Value first = Conv(doubled, 4, residual: features), second = Conv(first, 4, residual: features);
        NetworkGraph graph = Apply(StoreAsBFloat16.Apply, Conv(second, 3), features);
        // The features are the caller's, so float32; the sum and both residuals read one copy in bfloat16.
        Node conversion = Assert.Single(graph.Nodes, node => node.Op is Activate);
        Assert.Equal((features, DType.BFloat16), (conversion.Inputs[0], conversion.Output.Type));
        Assert.Equal(4, graph.Nodes.Sum(node => node.Inputs.Count(input => input == conversion.Output)));
    }

    /// <summary>
    /// Two inverted residuals, the second with squeeze and excitation; what comes behind them is read by a dense
    /// convolution.
    /// </summary>
    [Fact]
    public void What_a_linear_bottleneck_is_computed_from_stays_float32()
    {
        Value wide = Conv(_x, 8, activation: Activation.Relu6), depthwise = Depthwise(wide),
            narrow = Conv(depthwise, 4);
        Value sum = Conv(Depthwise(Conv(narrow, 8, activation: Activation.Relu6)), 4, residual: narrow);
        Value weighted = Depthwise(sum);
        Value gate = Conv(Add(new GlobalAveragePool(), weighted), 4, activation: Activation.Sigmoid);
        Value last = Conv(Add(new Binary(BinaryKind.Multiply, Activation.None), weighted, gate), 3);
        Value head = Conv(last, 5, activation: Activation.Relu), scores = Conv(head, 3);
        NetworkGraph graph = Apply(StoreAsBFloat16.Apply, scores);
        Assert.Equal([last.Name, head.Name], graph.Nodes.Select(node => node.Output)
            .Where(value => value.Type == DType.BFloat16).Select(value => value.Name));
        Assert.DoesNotContain(graph.Nodes, node => node.Op is Activate);
    }

    [Fact]
    public void Separable_and_dense_convolutions_are_no_linear_bottlenecks()
    {
        Value wide = Conv(_x, 8, activation: Activation.Relu);
        Value separable = Conv(Depthwise(wide), 4, activation: Activation.Relu), even = Conv(Depthwise(separable), 4);
        Value narrow = Conv(Conv(even, 8, activation: Activation.Relu), 4), scores = Conv(narrow, 3);
        NetworkGraph graph = Apply(StoreAsBFloat16.Apply, scores);
        Assert.All(graph.Nodes.SkipLast(1), node => Assert.Equal(DType.BFloat16, node.Output.Type));
    }

    [Fact]
    public void Batch_norms_fold_into_scale_and_bias()
    {
        Value conv = Conv(_x, 3, scale: [2, 2, 2], bias: [1, 2, 3]);
        Value norm = Add(new BatchNorm([1, 10, 100], [0.5f, 0, 0], Activation.Relu), conv);
        NetworkGraph graph = Apply(FoldBatchNorm.Apply, norm);
        var folded = Assert.IsType<Conv2d>(Assert.Single(graph.Nodes).Op);
        Assert.Equal([2, 20, 200], folded.Scale!);
        Assert.Equal([1.5f, 20, 300], folded.Bias!);
        Assert.Equal(Activation.Relu, folded.Activation);
    }

    [Fact]
    public void Batch_norms_in_a_row_fold_together()
    {
        Value conv = Conv(_x, 1);
        Value norm = Add(new BatchNorm([2], [1], Activation.None), Add(new BatchNorm([3], [5], Activation.None), conv));
        var folded = Assert.IsType<Conv2d>(Assert.Single(Apply(FoldBatchNorm.Apply, norm).Nodes).Op);
        Assert.Equal([6], folded.Scale!);
        Assert.Equal([11], folded.Bias!);
    }

    [Fact]
    public void Batch_norms_stay_where_the_convolution_is_read_elsewhere()
    {
        Value conv = Conv(_x, 4);
        Value norm = Add(new BatchNorm([1, 1, 1, 1], [0, 0, 0, 0], Activation.None), conv);
        Assert.Equal(2, Apply(FoldBatchNorm.Apply, norm, conv).Nodes.Count);
        Assert.Equal(
            3, Apply(FoldBatchNorm.Apply, Add(new Binary(BinaryKind.Multiply, default), norm, conv)).Nodes.Count);
    }

    [Fact]
    public void Batch_norms_stay_behind_an_activation_or_a_residual()
    {
        Value active = Conv(_x, 4, activation: Activation.Relu);
        Value residual = Conv(_x, 4, residual: _x);
        var norm = new BatchNorm([1, 1, 1, 1], [0, 0, 0, 0], Activation.None);
        Assert.Equal(4, Apply(FoldBatchNorm.Apply, Add(norm, active), Add(norm, residual)).Nodes.Count);
    }

    [Fact]
    public void Activations_fuse_once()
    {
        Value sum = Add(new Binary(BinaryKind.Add, Activation.None), _x, _x);
        Value twice = Add(new Activate(Activation.Sigmoid), Add(new Activate(Activation.Relu6), sum));
        NetworkGraph graph = Apply(FuseActivation.Apply, twice);
        Assert.Equal([new Binary(BinaryKind.Add, Activation.Relu6), new Activate(Activation.Sigmoid)],
            graph.Nodes.Select(node => node.Op));
    }

    [Fact]
    public void Activations_stay_where_the_bare_value_is_needed()
    {
        Value sum = Add(new Binary(BinaryKind.Add, Activation.None), _x, _x);
        Value active = Add(new Activate(Activation.Relu), sum);
        Assert.Equal(2, Apply(FuseActivation.Apply, active, sum).Nodes.Count);
    }

    [Fact]
    public void Residuals_fuse_into_the_later_convolution()
    {
        Value first = Conv(_x, 4), second = Conv(_x, 4);
        Value sum = Add(new Binary(BinaryKind.Add, Activation.Relu), second, first);
        NetworkGraph graph = Apply(FuseResidual.Apply, sum);
        Assert.Equal([first, sum], graph.Nodes.Select(node => node.Output));
        Assert.Equal([_x, first], graph.Nodes[1].Inputs);
        Assert.Equal(Activation.Relu, ((Conv2d)graph.Nodes[1].Op).Activation);
    }

    [Fact]
    public void A_residual_made_after_the_convolution_is_waited_for()
    {
        Value conv = Conv(_x, 4);
        Value late = Add(new Activate(Activation.Relu), _x);
        Value sum = Add(new Binary(BinaryKind.Add, Activation.None), conv, late);
        NetworkGraph graph = Apply(FuseResidual.Apply, sum);
        Assert.Equal([late, sum], graph.Nodes.Select(node => node.Output));
        Assert.Equal([_x, late], graph.Nodes[1].Inputs);
    }

    [Fact]
    public void Sums_stay_that_broadcast_double_or_share()
    {
        var add = new Binary(BinaryKind.Add, Activation.None);
        Value conv = Conv(_x, 4), shared = Conv(_x, 4), active = Conv(_x, 4, activation: Activation.Relu);
        Value pooled = Add(new GlobalAveragePool(), _x);
        Value[] sums = [Add(add, conv, pooled), Add(add, shared, shared), Add(add, active, _x)];
        Assert.Equal(7, Apply(FuseResidual.Apply, sums).Nodes.Count);
    }

    [Fact]
    public void A_depthwise_convolution_fuses_into_the_pointwise_one_that_reads_it()
    {
        Value between = Depthwise(_x), pointwise = Conv(between, 4, residual: _x, activation: Activation.Relu);
        Node node = Assert.Single(Apply(FuseSeparable.Apply, pointwise).Nodes);
        Assert.Equal([_x, _x], node.Inputs);
        Assert.Equal(pointwise, node.Output);
        Assert.Equal((4, Activation.Relu),
            (((SeparableConv2d)node.Op).Depthwise.Groups, ((SeparableConv2d)node.Op).Pointwise.Activation));
        Assert.Equal(6 * 7 * 4 * (9 + 4), node.Op.MultiplyAdds([Size, Size]));
    }

    [Fact]
    public void A_batch_norm_before_a_pointwise_convolution_becomes_a_depthwise_one_of_one_tap()
    {
        Value between = Add(new BatchNorm([1, -2, 3, 0.5f], [0, 1, -1, 2], Activation.Relu), _x);
        Value pointwise = Conv(between, 3);
        var fused = (SeparableConv2d)Assert.Single(Apply(FuseSeparable.Apply, pointwise).Nodes).Op;
        Assert.Equal((4, 1, Activation.Relu),
            (fused.Depthwise.Groups, fused.Depthwise.KernelHeight, fused.Depthwise.Activation));
        // One weight for all of them, so that graphs of other sizes find what is packed.
        Value other = Conv(Add(new BatchNorm([1, 1, 1, 1], [0, 0, 0, 0], default), _x), 3);
        var its = (SeparableConv2d)Assert.Single(Apply(FuseSeparable.Apply, other).Nodes).Op;
        Assert.Same(fused.Depthwise.Kernel, its.Depthwise.Kernel);
        // What others read too stays, and so does one of one channel: a depthwise convolution has several groups.
        Assert.Equal(2, Apply(FuseSeparable.Apply, between, pointwise).Nodes.Count);
        Value narrow = Conv(Add(new BatchNorm([2], [1], default), Conv(_x, 1)), 3);
        Assert.Equal(3, Apply(FuseSeparable.Apply, narrow).Nodes.Count);
    }

    [Fact]
    public void Depthwise_convolutions_stay_that_others_read()
    {
        Value asked = Depthwise(_x), shared = Depthwise(_x), summed = Depthwise(_x, residual: _x), wide = Depthwise(_x);
        Value[] outputs =
        [
            asked, Conv(asked, 3), Conv(shared, 3), Conv(shared, 2), Conv(summed, 3),
            Add(new Conv2d(
                OpCase.Weight("passes.wide", 3, 4, 3, 3), null, null, 1, 1, Padding.Symmetric(1), 1, default), wide),
        ];
        Assert.Equal(9, Apply(FuseSeparable.Apply, outputs).Nodes.Count);
    }

    [Fact]
    public void Separable_convolutions_keep_the_results_of_random_networks()
    {
        int fused = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            NetworkGraph graph = GraphPasses.ApplyAll(RandomGraphs.Make(seed)), separable = FuseSeparable.Apply(graph);
            AssertSame(graph, separable, seed);
            fused += separable.Nodes.Count(node => node.Op is SeparableConv2d);
        }
        Assert.True(fused > Seeds / 4, $"{fused} in {Seeds} networks");
    }

    [Fact]
    public void Upsampling_fuses_into_labels_and_confidence_together()
    {
        var resize = new ResizeBilinear(20, 30, Sampling.AlignCorners);
        Value upsampled = Add(resize, _x);
        NetworkGraph graph =
            Apply(FuseUpsampleArgmax.Apply, Add(new Argmax(), upsampled), Add(new Confidence(), upsampled));
        Assert.Equal([new Argmax(resize), new Confidence(resize)], graph.Nodes.Select(node => node.Op));
        Assert.All(graph.Nodes, node => Assert.Equal([_x], node.Inputs));
    }

    [Fact]
    public void Labels_and_confidence_of_the_same_scores_are_made_together()
    {
        Value labels = Add(new Argmax(), _x), confidence = Add(new Confidence(), _x);
        Node node = Assert.Single(Apply(FuseLabels.Apply, confidence, labels).Nodes);
        Assert.Equal(new LabelsWithConfidence(), node.Op);
        Assert.Equal([labels, confidence], node.Outputs);
    }

    [Fact]
    public void A_confidence_that_is_asked_for_twice_is_paired_once()
    {
        Value labels = Add(new Argmax(), _x), first = Add(new Confidence(), _x), second = Add(new Confidence(), _x);
        NetworkGraph graph = Apply(FuseLabels.Apply, labels, first, second);
        Assert.Equal([new LabelsWithConfidence(), new Confidence()], graph.Nodes.Select(node => node.Op));
    }

    [Fact]
    public void Labels_and_confidence_of_other_scores_stay_apart()
    {
        Value other = Add(new Activate(Activation.Relu), _x);
        Assert.Equal(3, Apply(FuseLabels.Apply, Add(new Argmax(), _x), Add(new Confidence(), other)).Nodes.Count);
    }

    [Fact]
    public void Upsampled_logits_stay_that_somebody_wants()
    {
        Value upsampled = Add(new ResizeBilinear(20, 30, Sampling.HalfPixel), _x);
        Value labels = Add(new Argmax(), upsampled);
        Assert.Equal(2, Apply(FuseUpsampleArgmax.Apply, labels, upsampled).Nodes.Count);
        Assert.Equal(3, Apply(FuseUpsampleArgmax.Apply, labels, Add(new Softmax(), upsampled)).Nodes.Count);
    }

    [Fact]
    public void Concatenations_nest()
    {
        Value a = Conv(_x, 3), b = Conv(_x, 5), c = Conv(_x, 2);
        Value inner = Add(new Concat(), a, b);
        Value outer = Add(new Concat(), c, inner);
        NetworkGraph graph = Apply(ElideConcat.Apply, outer);
        Assert.Equal(new Slice(inner, 0), graph.Slices[a]);
        Assert.Equal(new Slice(inner, 3), graph.Slices[b]);
        Assert.Equal(new Slice(outer, 0), graph.Slices[c]);
        Assert.Equal(new Slice(outer, 2), graph.Slices[inner]);
        Assert.Equal(new Placement(outer, 5), MemoryPlan.Of(graph).Locate(b));
    }

    [Fact]
    public void Only_what_can_be_placed_is_placed()
    {
        Value asked = Conv(_x, 3), twice = Conv(_x, 3), elsewhere = Conv(_x, 3), free = Conv(_x, 3);
        Value first = Add(new Concat(), elsewhere, _x);
        Value second = Add(new Concat(), asked, twice, twice, elsewhere, free);
        NetworkGraph graph = Apply(ElideConcat.Apply, first, second, asked);
        Assert.Equal([elsewhere, free], graph.Slices.Keys.OrderBy(value => graph.Slices[value].Channel));
        Assert.Equal(new Slice(first, 0), graph.Slices[elsewhere]);
        Assert.Equal(new Slice(second, 12), graph.Slices[free]);
    }

    private NetworkGraph Apply(Func<NetworkGraph, NetworkGraph> pass, params Value[] outputs)
    {
        NetworkGraph graph = _builder.Build(outputs), result = pass(graph);
        AssertSame(graph, result, 0);
        return result;
    }

    private static void AssertSame(NetworkGraph before, NetworkGraph after, int seed)
    {
        Assert.Equal(before.Outputs, after.Outputs);
        Assert.Equal(before.Inputs, after.Inputs);
        var known = new HashSet<Value>(after.Inputs);
        foreach (Node node in after.Nodes)
        {
            Assert.All(node.Inputs, input => Assert.Contains(input, known));
            Assert.All(node.Outputs, output => Assert.True(known.Add(output)));
            Assert.Equal(node.Output.Shape, node.Op.OutputShape([.. node.Inputs.Select(input => input.Shape)]));
        }
        float[] input = RandomGraphs.Input(before, seed);
        Array[] expected = Running.Reference(before, input), actual = Running.Reference(after, input);
        for (int i = 0; i < expected.Length; i++)
        {
            // A confidence is a number up to 1, however little it varies.
            double? std = before.Makers().TryGetValue(before.Outputs[i], out Node? maker) && maker.Op is LabelOp
                ? 1
                : null;
            if (expected[i] is float[] values)
                Tolerance.AssertWithin(1e-5, (float[])actual[i], values, $"seed {seed}: {before.Outputs[i]}", std);
            else
                Assert.Equal(expected[i], actual[i]);
        }
    }

    private Value Conv(
        Value x, int outputs, float[]? scale = null, float[]? bias = null, Activation activation = default,
        Value? residual = null)
    {
        Weight weight = OpCase.Weight("passes.weight", outputs, x.Shape.Channels, 1, 1);
        var op = new Conv2d(weight, scale, bias, 1, 1, Padding.None, 1, activation);
        return residual is null ? Add(op, x) : Add(op, x, residual);
    }

    private Value Depthwise(Value x, Value? residual = null)
    {
        int channels = x.Shape.Channels;
        var op = new Conv2d(
            OpCase.Weight("passes.depthwise", channels, 1, 3, 3), null, null, 1, 1, Padding.Symmetric(1), channels,
            Activation.Relu6);
        return residual is null ? Add(op, x) : Add(op, x, residual);
    }

    private Value Add(Op op, params Value[] inputs) => _builder.Add(op.Name, op, inputs);
}
