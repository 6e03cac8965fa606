using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>
/// Lets the makers of a concatenation's inputs write straight into their channels of it, so that concatenating costs
/// nothing. The nodes stay; <see cref="NetworkGraph.Slices"/> says which inputs need no copy. Slices nest: in
/// cat(cat(a, b), c) the inner concatenation is a slice of the outer one. Run it last: other passes don't know slices.
/// </summary>
internal static class ElideConcat
{
    /// <summary>Elides wherever the graph allows it.</summary>
    public static NetworkGraph Apply(NetworkGraph graph) => Apply(graph, (_, _) => true);

    /// <summary>Elides where the backend can write a value into that slice, too.</summary>
    /// <param name="graph">Without slices of its own.</param>
    /// <param name="canWrite">Asked for a value and its place.</param>
    public static NetworkGraph Apply(NetworkGraph graph, Func<Value, Slice, bool> canWrite)
    {
        var fixedInPlace = new HashSet<Value>(graph.Inputs.Concat(graph.Outputs));
        IReadOnlyDictionary<Value, Node> makers = graph.Makers();
        var slices = new Dictionary<Value, Slice>(graph.Slices);
        foreach (Node node in graph.Nodes.Where(node => node.Op is Concat))
        {
            int channel = 0;
            foreach (Value input in node.Inputs)
            {
                if (!fixedInPlace.Contains(input)
                    && makers[input].Op.WritesSlices
                    && node.Inputs.Count(other => other == input) == 1
                    && canWrite(input, new Slice(node.Output, channel)))
                {
                    slices.TryAdd(input, new Slice(node.Output, channel));
                }
                channel += input.Shape.Channels;
            }
        }
        return graph with { Slices = slices };
    }
}
