using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>
/// The values inside a network that are still made when the fusions are through: those of whole layers, a convolution
/// with its batch norm, residual and activation. A comparison layer by layer looks at copies of them, so that the
/// network is fused and stored as it is otherwise: a value that the caller gets would be float32 whatever the
/// precision.
/// </summary>
internal static class Intermediates
{
    /// <summary>The nodes that make them, in the order in which they run.</summary>
    public static IReadOnlyList<Node> Of(NetworkGraph graph) =>
        [.. GraphPasses.Apply(graph, GraphPasses.FusionsOfLayers).Nodes.Where(
            node => node.Output.Type == DType.Float32)];

    /// <summary>The graph that gives copies of some of them.</summary>
    /// <param name="graph">Where the network was built.</param>
    /// <param name="layers">From <see cref="Of"/>, of what was built there.</param>
    public static NetworkGraph Copied(GraphBuilder graph, IEnumerable<Node> layers) => graph.Build(
    [
        .. layers.Select(layer => layer.Output).Select(value =>
            // The whole picture as a window: no pass takes it for anything else.
            graph.Add($"{value.Name}.copy", new Crop(0, 0, value.Shape.Height, value.Shape.Width), value)),
    ]);
}
