using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Models;
using Atrous.Tensors;

namespace Atrous.Onnx;

/// <summary>
/// A network's graph at one input size, or at several by which it is found out how each node depends on the size: what
/// is the same in all of them is constant, and a size that is another value's size in all of them is that value's size.
/// </summary>
internal sealed class TracedNetwork
{
    /// <summary>
    /// Together they have most remainders of the strides, so that sizes which only mostly agree (floor(h / 4) + 1 and
    /// ceil(h / 4)) are told apart.
    /// </summary>
    private static readonly (int Height, int Width)[] Sizes =
        [(256, 320), (257, 323), (290, 355), (323, 292), (340, 381), (367, 334), (278, 377)];

    private readonly NetworkGraph[] _traces;
    private readonly Dictionary<Value, int> _makers = [];

    private TracedNetwork(NetworkGraph[] traces)
    {
        _traces = traces;
        for (int i = 0; i < Graph.Nodes.Count; i++)
            _makers.Add(Graph.Nodes[i].Output, i);
    }

    /// <summary>
    /// The graph of the first size, batch norms folded, of a quantised model with its values of bytes.
    /// </summary>
    public NetworkGraph Graph => _traces[0];

    /// <summary>One size only.</summary>
    public bool IsFixed => _traces.Length == 1;

    /// <summary>The network at one input shape.</summary>
    /// <param name="model">The model whose network is traced.</param>
    /// <param name="input">The shape of the network's input.</param>
    /// <param name="outputs">What of the network's results is written.</param>
    public static TracedNetwork At(Model model, Shape input, Func<NetworkOutputs, Value[]> outputs) =>
        new([Trace(model, input, outputs, keepsResizes: false)]);

    /// <summary>The network for any input size.</summary>
    /// <param name="model">The model whose network is traced.</param>
    /// <param name="outputs">What of the network's results is written.</param>
    public static TracedNetwork AtAnySize(Model model, Func<NetworkOutputs, Value[]> outputs)
    {
        // Above every window that must fit.
        int more = (model.MinimumSide + 31) / 32 * 32;
        int channels = model.Description.Network.InputChannels;
        // Where only multiples of something are taken, those have no remainders to tell apart.
        return new([.. Sizes.Select(size => Trace(
            model, new Shape(1, model.SideFrom(size.Height + more), model.SideFrom(size.Width + more), channels),
            outputs, keepsResizes: true))]);
    }

    /// <summary>
    /// The first thing that keeps the network from being written for any input size; null where nothing does.
    /// </summary>
    public string? SizeDependence()
    {
        if (_traces.Any(trace => !trace.Nodes.Select(NodeForm).SequenceEqual(Graph.Nodes.Select(NodeForm))))
            return "other input sizes have other layers";
        for (int i = 0; i < Graph.Nodes.Count; i++)
        {
            (Op op, string name) = (Graph.Nodes[i].Op, Graph.Nodes[i].Output.Name);
            string? reason = op switch
            {
                ResizeBilinear when PlanResize(i) is null =>
                    $"the size of '{name}' does not follow from that of another layer",
                Conv2d when !IsPaddedAlike(i) && !IsPaddedSame(i) => $"the padding of '{name}' depends on it",
                // Checked above, or read from the file anew in every trace.
                ResizeBilinear or Conv2d or BatchNorm => null,
                _ when AllTraces(i).Any(node => node.Op != op) => $"the {op.Name} '{name}' depends on it",
                _ => null,
            };
            if (reason is not null)
                return reason;
        }
        return null;
    }

    /// <summary>A convolution is padded by TensorFlow's SAME in a way that depends on its input's size.</summary>
    public bool IsPaddedSame(int node) => !IsPaddedAlike(node) && AllTraces(node).All(n =>
    {
        var conv = (Conv2d)n.Op;
        Shape x = n.Inputs[0].Shape;
        // Runtimes know SAME without dilation only; with stride 1 the padding is constant anyway.
        return conv.Dilation == 1 && conv.KernelHeight == conv.KernelWidth
            && conv.Padding == Padding.Same(x.Height, x.Width, conv.KernelHeight, conv.Stride, conv.Dilation);
    });

    /// <summary>How a resize gets its size; null where that does not follow from any other size.</summary>
    public ResizePlan? PlanResize(int node)
    {
        var op = (ResizeBilinear)Graph.Nodes[node].Op;
        float scale = op.Sampling == Sampling.AlignCorners ? 0 : op.Scale;
        (int Height, int Width)[] from = SizesOf(Graph.Nodes[node].Inputs[0]), to = SizesOf(Graph.Nodes[node].Output);
        if (scale is 0 or 1 && from.SequenceEqual(to))
            return new ResizePlan.Nothing();
        ResizePlan.ToSize? size = IsFixed
            ? new ResizePlan.ToSize(null, op.Height, op.Width)
            : Alike(node, to) is { } like ? new ResizePlan.ToSize(like, op.Height, op.Width) : null;
        if (scale > 0)
        {
            float factor = (float)(1.0 / scale);
            (int Height, int Width)[] scaled =
                [.. from.Select(s => ((int)(s.Height * factor), (int)(s.Width * factor)))];
            if (scaled.SequenceEqual(to))
                return new ResizePlan.ByFactor(factor, null);
            bool isLarger = scaled.Zip(to)
                .All(pair => pair.First.Height >= pair.Second.Height && pair.First.Width >= pair.Second.Width);
            return isLarger && size is not null ? new ResizePlan.ByFactor(factor, size) : null;
        }
        int whole = to[0].Height / from[0].Height;
        bool isWhole = !IsFixed && from.Zip(to)
            .All(p => p.First.Height * whole == p.Second.Height && p.First.Width * whole == p.Second.Width);
        return size ?? (isWhole ? new ResizePlan.ByFactor(whole, null) : (ResizePlan?)null);
    }

    /// <summary>The input, or the first value before a node, that has these sizes.</summary>
    private Value? Alike(int node, (int Height, int Width)[] sizes) =>
        Graph.Inputs.Concat(Graph.Nodes.Take(node).Select(n => n.Output))
        .FirstOrDefault(value => SizesOf(value).SequenceEqual(sizes));

    private (int Height, int Width)[] SizesOf(Value value) =>
        [.. _traces.Select(t => _makers.TryGetValue(value, out int i) ? t.Nodes[i].Output.Shape : t.Inputs[0].Shape)
        .Select(s => (s.Height, s.Width))];

    private bool IsPaddedAlike(int node) =>
        AllTraces(node).All(n => ((Conv2d)n.Op).Padding == ((Conv2d)Graph.Nodes[node].Op).Padding);

    private IEnumerable<Node> AllTraces(int node) => _traces.Select(trace => trace.Nodes[node]);

    private static (string Name, Type Op, int Channels) NodeForm(Node node) =>
        (node.Output.Name, node.Op.GetType(), node.Output.Shape.Channels);

    private static NetworkGraph Trace(
        Model model, Shape input, Func<NetworkOutputs, Value[]> chosen, bool keepsResizes)
    {
        var graph = new GraphBuilder { KeepsResizes = keepsResizes };
        NetworkGraph whole = graph.Build(chosen(model.Build(graph, graph.Input("input", input))));
        return whole.Quantization is null
            ? FoldBatchNorm.Apply(whole)
            : StoreAsUInt8.ApplyForExchange(GraphPasses.Apply(whole, GraphPasses.FusionsForExchange));
    }
}
