using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>
/// The sum of a convolution's output and another value becomes a convolution with a residual, so that the output is
/// written once: relu(conv(x) + shortcut).
/// </summary>
internal static class FuseResidual
{
    public static NetworkGraph Apply(NetworkGraph graph)
    {
        var readership = new Readership(graph);
        // A fused node takes the place of its convolution, or of the sum where the residual is made after the
        // convolution.
        var nodes = new List<Node?>();
        var makers = new Dictionary<Value, int>();
        foreach (Node node in graph.Nodes)
        {
            int place = nodes.Count;
            nodes.Add(node);
            if (node.Op is Binary { Kind: BinaryKind.Add } sum && node.Inputs[0].Shape == node.Inputs[1].Shape)
            {
                int chosen = node.Inputs.Max(MakerIfFusible);
                if (chosen >= 0)
                {
                    Node first = nodes[chosen]!;
                    Value residual = node.Inputs[0] == first.Output ? node.Inputs[1] : node.Inputs[0];
                    bool isReady = !makers.TryGetValue(residual, out int made) || made < chosen;
                    nodes[place] = nodes[chosen] = null;
                    place = isReady ? chosen : place;
                    nodes[place] = new Node(
                        ((Conv2d)first.Op).WithActivation(sum.Activation), [first.Inputs[0], residual], node.Output);
                }
            }
            makers.Add(node.Output, place);
        }
        return graph with { Nodes = [.. nodes.OfType<Node>()] };

        int MakerIfFusible(Value value) =>
            readership.IsReadOnce(value)
            && makers.TryGetValue(value, out int maker)
            && nodes[maker] is { Op: Conv2d { Activation.Kind: ActivationKind.None }, Inputs.Count: 1 }
                ? maker
                : -1;
    }
}
