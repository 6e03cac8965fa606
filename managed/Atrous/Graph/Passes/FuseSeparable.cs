using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>
/// A depthwise convolution that only a 1x1 convolution reads becomes a <see cref="SeparableConv2d"/> with it, and so
/// does a batch norm, which is a depthwise convolution of one tap: a DenseNet (arXiv:1608.06993) has one before every
/// layer. For backends that have one; after the passes that fuse into convolutions.
/// </summary>
internal static class FuseSeparable
{
    public static NetworkGraph Apply(NetworkGraph graph)
    {
        var readership = new Readership(graph);
        IReadOnlyDictionary<Value, Node> makers = graph.Makers();
        var nodes = new List<Node>();
        foreach (Node node in graph.Nodes)
        {
            if (IsPointwise(node) && makers.TryGetValue(node.Inputs[0], out Node? first)
                && Depthwise(first) is { } depthwise && readership.IsReadOnce(first.Output)
                && !graph.Slices.ContainsKey(first.Output)
                && first.Output.Type != DType.UInt8 && first.Inputs[0].Type != DType.UInt8
                && node.Output.Type != DType.UInt8)
            {
                nodes.Remove(first);
                var fused = new SeparableConv2d(depthwise, (Conv2d)node.Op, first.Output.Type);
                nodes.Add(new Node(fused, [first.Inputs[0], .. node.Inputs.Skip(1)], node.Output));
            }
            else
            {
                nodes.Add(node);
            }
        }
        return graph with { Nodes = nodes };
    }

    /// <summary>What the node does as a depthwise convolution; null where it is none.</summary>
    private static Conv2d? Depthwise(Node node) => node switch
    {
        { Op: Conv2d { Groups: > 1 } conv, Inputs: [Value x] }
            when conv.Groups == x.Shape.Channels && conv.OutChannels == conv.Groups => conv,
        { Op: BatchNorm { Scale.Length: > 1 } norm } => new Conv2d(
            ConstantWeight.Mean(norm.Scale.Length, size: 1), norm.Scale, norm.Shift, Stride: 1, Dilation: 1,
            Padding.None, Groups: norm.Scale.Length, norm.Activation),
        _ => null,
    };

    private static bool IsPointwise(Node node) =>
        node.Op is Conv2d { KernelHeight: 1, KernelWidth: 1, Stride: 1, Groups: 1 } conv
        && conv.Padding == Padding.None;
}
