namespace Atrous.Graph;

/// <summary>
/// Finds nodes that a device may run at the same time: chains that begin at one value and meet again in one node, such
/// as the branches of atrous spatial pyramid pooling, or a block's shortcut beside its convolutions.
/// </summary>
internal static class Branches
{
    /// <summary>
    /// For every node the first and the last node beside which it may run: where those are others than itself, memory
    /// of what it reads and makes must not be used again in between.
    /// </summary>
    /// <param name="graph">The network whose nodes are looked at.</param>
    /// <param name="isSmall">Whether a node leaves so much of the device idle that another can run beside it.</param>
    public static IReadOnlyList<(int First, int Last)> Spans(NetworkGraph graph, Func<Node, bool> isSmall)
    {
        ILookup<Value, Node> readers = graph.Readers();
        IReadOnlyDictionary<Value, Node> makers = graph.Makers();
        Dictionary<Node, int> indices = graph.Nodes.Select((node, i) => (node, i)).ToDictionary(p => p.node, p => p.i);
        (int First, int Last)[] spans = [.. graph.Nodes.Select((_, i) => (i, i))];
        for (int last = 0; last < graph.Nodes.Count; last++)
        {
            IEnumerable<(Value From, List<Node> Nodes)> chains = graph.Nodes[last].Inputs.Distinct().Select(ChainTo);
            foreach (var fork in chains.Where(chain => chain.Nodes.Count > 0).GroupBy(chain => chain.From))
            {
                Node[] nodes = [.. fork.SelectMany(chain => chain.Nodes)];
                if (fork.Count() < 2 || !nodes.All(isSmall))
                    continue;
                int first = nodes.Min(node => indices[node]);
                foreach (Node node in nodes)
                    spans[indices[node]] = (first, last);
            }
        }
        return spans;

        // The nodes that make a value, back to one that something else reads too.
        (Value From, List<Node> Nodes) ChainTo(Value value)
        {
            var nodes = new List<Node>();
            while (readers[value].Count() == 1 && makers.TryGetValue(value, out Node? maker)
                && maker.Inputs.Count == 1 && !graph.Outputs.Contains(value))
            {
                nodes.Add(maker);
                value = maker.Inputs[0];
            }
            return (value, nodes);
        }
    }
}
