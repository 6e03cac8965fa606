using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>
/// The labels and the confidence of the same scores become one <see cref="LabelsWithConfidence"/>: the winner's
/// probability is a by-product of looking for the winner.
/// </summary>
internal static class FuseLabels
{
    public static NetworkGraph Apply(NetworkGraph graph)
    {
        var nodes = new List<Node>();
        var paired = new HashSet<Node>();
        foreach (Node node in graph.Nodes)
        {
            if (paired.Contains(node))
                continue;
            // The first of the two takes the second's place as well: both need the same input and nothing else.
            if (Twin(node, graph, paired) is not { } twin)
            {
                nodes.Add(node);
                continue;
            }
            paired.UnionWith([node, twin]);
            (Node labels, Node confidence) = node.Op is Argmax ? (node, twin) : (twin, node);
            var op = new LabelsWithConfidence(((Argmax)labels.Op).Upsample);
            nodes.Add(new Node(op, labels.Inputs, labels.Output) { SecondOutput = confidence.Output });
        }
        return graph with { Nodes = nodes };
    }

    private static Node? Twin(Node node, NetworkGraph graph, HashSet<Node> paired) =>
        graph.Nodes.FirstOrDefault(
            other => !paired.Contains(other) && other.Inputs[0] == node.Inputs[0] && ArePair(node.Op, other.Op));

    private static bool ArePair(Op one, Op other) => (one, other) switch
    {
        (Argmax argmax, Confidence confidence) => argmax.Upsample == confidence.Upsample,
        (Confidence confidence, Argmax argmax) => argmax.Upsample == confidence.Upsample,
        _ => false,
    };
}
