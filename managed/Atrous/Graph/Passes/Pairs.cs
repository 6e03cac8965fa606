namespace Atrous.Graph.Passes;

/// <summary>The common shape of a fusion: two nodes, of which only the second reads the first, become one.</summary>
internal static class Pairs
{
    /// <summary>
    /// Replaces first and second wherever <paramref name="merge"/> gives an operation for them: it has the first one's
    /// inputs and makes the second one's output. Chains merge step by step.
    /// </summary>
    public static NetworkGraph Merge(NetworkGraph graph, Func<Node, Op, Op?> merge)
    {
        var readership = new Readership(graph);
        var nodes = new List<Node>();
        var makers = new Dictionary<Value, int>();
        foreach (Node node in graph.Nodes)
        {
            if (node.Inputs is [Value between]
                && readership.IsReadOnce(between)
                && makers.TryGetValue(between, out int first)
                && merge(nodes[first], node.Op) is { } merged)
            {
                nodes[first] = new Node(merged, nodes[first].Inputs, node.Output);
                makers.Add(node.Output, first);
            }
            else
            {
                makers.Add(node.Output, nodes.Count);
                nodes.Add(node);
            }
        }
        return graph with { Nodes = nodes };
    }
}
