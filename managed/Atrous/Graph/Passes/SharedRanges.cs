namespace Atrous.Graph.Passes;

/// <summary>
/// Values whose 8-bit elements must stand for the same numbers, because an operation hands them on as they are:
/// pooling, resizing, cutting and joining.
/// </summary>
internal sealed class SharedRanges
{
    private readonly Dictionary<Value, Value> _parents = [];

    public SharedRanges(NetworkGraph graph)
    {
        foreach (Node node in graph.Nodes.Where(node => node.Op.InBytes == ByteUse.HandsOn))
        {
            foreach (Value input in node.Inputs)
                _parents[First(input)] = First(node.Output);
        }
    }

    /// <summary>The value that stands for all that share a value's range.</summary>
    public Value First(Value value)
    {
        Value root = value;
        while (_parents.TryGetValue(root, out Value? parent) && parent != root)
            root = parent;
        while (value != root)
        {
            _parents.TryGetValue(value, out Value? next);
            _parents[value] = root;
            value = next!;
        }
        return root;
    }
}
