using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>
/// The values inside a network that are still made when the fusions are through: those of whole layers, a convolution with
/// its batch norm, residual and activation. A graph that has them as outputs is fused like any other, so a comparison layer
/// by layer sees the very operations that run otherwise.
/// </summary>
public static class Intermediates
{
    /// <summary>The nodes that make them, in the order in which they run; the graph's own float32 outputs are among them.</summary>
    public static IReadOnlyList<Node> Of(NetworkGraph graph) =>
        [.. StandardPasses.Apply(graph).Nodes.Where(node => node.Output.Type == DType.Float32)];
}
