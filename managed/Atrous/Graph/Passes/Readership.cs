namespace Atrous.Graph.Passes;

/// <summary>Who makes and who reads each value: what a pass must know before it may let one vanish.</summary>
internal sealed class Readership
{
    private readonly HashSet<Value> _outputs;
    private readonly Dictionary<Value, int> _reads = [];
    private readonly ILookup<Value, Node> _readers;

    public Readership(NetworkGraph graph)
    {
        _outputs = [.. graph.Outputs];
        _readers = graph.Readers();
        foreach (Value input in graph.Nodes.SelectMany(node => node.Inputs))
            _reads[input] = _reads.GetValueOrDefault(input) + 1;
    }

    public bool IsOutput(Value value) => _outputs.Contains(value);

    public IEnumerable<Node> Readers(Value value) => _readers[value];

    /// <summary>True where the value is read once by one node, and the caller of the graph doesn't get it.</summary>
    public bool IsReadOnce(Value value) => !IsOutput(value) && _reads.GetValueOrDefault(value) == 1;
}
