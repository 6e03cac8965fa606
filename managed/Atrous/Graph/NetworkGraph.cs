namespace Atrous.Graph;

/// <summary>Where a value lives when it is a channel slice of a wider one.</summary>
/// <param name="Parent">The concatenation that holds it.</param>
/// <param name="Channel">Its first channel there.</param>
internal sealed record Slice(Value Parent, int Channel);

/// <summary>
/// A network for one input shape: values and the nodes that make them, in an order in which they can run. Immutable;
/// a pass returns a new graph.
/// </summary>
/// <param name="Inputs">The values that the caller gives.</param>
/// <param name="Nodes">Every node after the nodes that make its inputs.</param>
/// <param name="Outputs">The values that the caller gets, in order.</param>
public sealed record NetworkGraph(IReadOnlyList<Value> Inputs, IReadOnlyList<Node> Nodes, IReadOnlyList<Value> Outputs)
{
    /// <summary>
    /// Values that need no memory of their own, because their makers write straight into a concatenation.
    /// </summary>
    internal IReadOnlyDictionary<Value, Slice> Slices { get; init; } = new Dictionary<Value, Slice>();

    /// <summary>
    /// How it is computed in 8 bits where a backend is asked for that; null where nobody has found out.
    /// </summary>
    internal QuantizationTable? Quantization { get; init; }

    /// <summary>The nodes that read each value.</summary>
    public ILookup<Value, Node> Readers() =>
        Nodes.SelectMany(node => node.Inputs.Distinct().Select(input => new { input, node }))
        .ToLookup(p => p.input, p => p.node);

    /// <summary>The node that makes each value; inputs have none.</summary>
    public IReadOnlyDictionary<Value, Node> Makers() =>
        Nodes.SelectMany(node => node.Outputs.Select(output => new { output, node }))
        .ToDictionary(p => p.output, p => p.node);
}
