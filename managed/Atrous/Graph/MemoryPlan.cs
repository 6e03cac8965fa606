using Atrous.Tensors;

namespace Atrous.Graph;

/// <summary>Where a value lives: inside which value's memory, and from which channel of each of its pixels.</summary>
/// <param name="Root">The value that has memory of its own; the value itself where it is no slice.</param>
/// <param name="Channel">The first channel there.</param>
internal readonly record struct Placement(Value Root, int Channel);

/// <summary>What a backend's memory asks of a plan.</summary>
/// <param name="SizeInBytes">Says how many bytes of this memory a value takes.</param>
/// <param name="InPlaceInput">The input over which a node may write its output, element for element, or null.</param>
/// <param name="Alignment">Every offset is a multiple of this many bytes.</param>
internal sealed record MemoryRules(Func<Value, long> SizeInBytes, Func<Node, Value?> InPlaceInput, int Alignment)
{
    /// <summary>
    /// For every node the first and the last beside which it may run; null where one runs after the other.
    /// </summary>
    public IReadOnlyList<(int First, int Last)>? Spans { get; init; }

    /// <summary>Values as the graph types them, offsets for cache lines.</summary>
    public static MemoryRules Host { get; } =
        new(value => value.Shape.Elements * value.Type.SizeInBytes(), MemoryPlan.InPlaceInput, MemoryPlan.Alignment);
}

/// <summary>
/// Gives every value that lives only inside the graph an offset in one arena, so that values which are never needed at
/// the same time share memory. The graph's inputs and outputs are the caller's tensors and have no offset; a slice
/// lives in its root, which is needed from the first writer of any slice to the last reader of any.
/// </summary>
/// <remarks>
/// The largest block is placed first, each in the smallest gap that fits (Pisarchyk and Lee 2020, arXiv:2001.03288,
/// greedy by size). Where an operation may work in place and its input is not needed afterwards, the output takes the
/// input's offset.
/// </remarks>
internal sealed class MemoryPlan
{
    /// <summary>Every offset in host memory is a multiple of this many bytes.</summary>
    public const int Alignment = 64;

    private readonly NetworkGraph _graph;
    private readonly MemoryRules _rules;
    private readonly Dictionary<Value, long> _offsets = [];

    private MemoryPlan(NetworkGraph graph, MemoryRules rules) => (_graph, _rules) = (graph, rules);

    /// <summary>Offsets in bytes of all values that have memory of their own in the arena.</summary>
    public IReadOnlyDictionary<Value, long> Offsets => _offsets;

    /// <summary>The arena's size in bytes.</summary>
    public long ArenaSize { get; private set; }

    /// <summary>Plans a graph in host memory.</summary>
    public static MemoryPlan Of(NetworkGraph graph) => Of(graph, MemoryRules.Host);

    /// <summary>Plans a graph.</summary>
    public static MemoryPlan Of(NetworkGraph graph, MemoryRules rules)
    {
        var plan = new MemoryPlan(graph, rules);
        var placed = new List<Block>();
        foreach (Block block in plan.Blocks().OrderByDescending(block => block.Size).ThenBy(block => block.First))
        {
            block.Offset = BestOffset(block, placed);
            placed.Add(block);
            foreach (Value value in block.Values)
                plan._offsets.Add(value, block.Offset);
            plan.ArenaSize = Math.Max(plan.ArenaSize, block.End);
        }
        return plan;
    }

    /// <summary>Follows a value's slices to the value that holds it.</summary>
    public Placement Locate(Value value)
    {
        int channel = 0;
        while (_graph.Slices.TryGetValue(value, out Slice? slice))
        {
            channel += slice.Channel;
            value = slice.Parent;
        }
        return new Placement(value, channel);
    }

    /// <summary>The input over which a node may write its output, element for element, or null.</summary>
    public static Value? InPlaceInput(Node node)
    {
        Value? input = node.Op.InPlaceInput(node.Inputs.Count) is { } index ? node.Inputs[index] : null;
        return node.Inputs.Count(other => other == input) == 1 ? input : null;
    }

    private long SizeOf(Value value) =>
        (_rules.SizeInBytes(value) + _rules.Alignment - 1) / _rules.Alignment * _rules.Alignment;

    private List<Block> Blocks()
    {
        var elsewhere = new HashSet<Value>(_graph.Inputs.Concat(_graph.Outputs));
        var blocks = new Dictionary<Value, Block>();
        for (int i = 0; i < _graph.Nodes.Count; i++)
        {
            Node node = _graph.Nodes[i];
            (int first, int last) = _rules.Spans?[i] ?? (i, i);
            foreach (Value value in node.Inputs.Concat(node.Outputs))
            {
                Value root = Locate(value).Root;
                if (elsewhere.Contains(root))
                    continue;
                if (!blocks.TryGetValue(root, out Block? block))
                    blocks.Add(root, block = new Block(root, first, SizeOf(root)));
                block.First = Math.Min(block.First, first);
                block.Last = Math.Max(block.Last, last);
            }
        }
        for (int i = 0; i < _graph.Nodes.Count; i++)
            ShareInPlace(_graph.Nodes[i], i, blocks);
        return [.. blocks.Values.Distinct()];
    }

    /// <summary>Joins the blocks of a node's input and output where the one ends and the other begins here.</summary>
    private void ShareInPlace(Node node, int index, Dictionary<Value, Block> blocks)
    {
        if (_rules.InPlaceInput(node) is { } input
            && !_graph.Slices.ContainsKey(input)
            && !_graph.Slices.ContainsKey(node.Output)
            && blocks.TryGetValue(input, out Block? before)
            && blocks.TryGetValue(node.Output, out Block? after)
            && before.Last == index
            && after.First == index
            && before.Size == after.Size
            && input.Type == node.Output.Type)
        {
            before.Values.AddRange(after.Values);
            before.Last = after.Last;
            blocks[node.Output] = before;
        }
    }

    private static long BestOffset(Block block, List<Block> placed)
    {
        long best = -1, bestGap = long.MaxValue, end = 0;
        foreach (Block other in placed.Where(other => other.First <= block.Last && block.First <= other.Last)
            .OrderBy(other => other.Offset))
        {
            long gap = other.Offset - end;
            if (gap >= block.Size && gap < bestGap)
                (best, bestGap) = (end, gap);
            end = Math.Max(end, other.End);
        }
        return best >= 0 ? best : end;
    }

    /// <summary>
    /// Memory that is needed from the node First to the node Last, for one value or some that follow each other.
    /// </summary>
    private sealed class Block(Value value, int first, long size)
    {
        public List<Value> Values { get; } = [value];

        public int First { get; set; } = first;

        public int Last { get; set; } = first;

        public long Size => size;

        public long Offset { get; set; }

        public long End => Offset + Size;
    }
}
