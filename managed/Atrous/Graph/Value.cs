using Atrous.Tensors;

namespace Atrous.Graph;

/// <summary>
/// A tensor that flows through the graph: made once by one node (or given as input), read by any number.
/// </summary>
/// <param name="name">The name for people, in error messages and in comparisons layer by layer.</param>
/// <param name="shape">The shape [batch, height, width, channels].</param>
/// <param name="type">
/// <see cref="DType.Float32"/>, <see cref="DType.BFloat16"/> or <see cref="DType.UInt8"/> inside a network that is
/// stored so, or <see cref="DType.UInt16"/> for label maps.
/// </param>
/// <param name="quantization">What the elements of <see cref="DType.UInt8"/> stand for; unused by other types.</param>
public sealed class Value(string name, Shape shape, DType type = DType.Float32, Quantization quantization = default)
{
    public string Name { get; } = name;

    public Shape Shape { get; } = shape;

    public DType Type { get; } = type;

    /// <summary>What the elements of <see cref="DType.UInt8"/> stand for; unused by other types.</summary>
    public Quantization Quantization { get; } = quantization;

    public override string ToString() => $"{Name} {Shape}";
}

/// <summary>One operation: its inputs and the value that it makes.</summary>
/// <param name="Op">What the node computes.</param>
/// <param name="Inputs">The values that it is computed from, in the op's order.</param>
/// <param name="Output">The value that it makes; no other node makes it.</param>
public sealed record Node(Op Op, IReadOnlyList<Value> Inputs, Value Output)
{
    /// <summary>
    /// The second value of an operation that makes two (<see cref="Op.SecondOutputType"/>); else null.
    /// </summary>
    public Value? SecondOutput { get; init; }

    /// <summary>All that it makes: one value, or two.</summary>
    public IEnumerable<Value> Outputs => SecondOutput is null ? [Output] : [Output, SecondOutput];

    public override string ToString() => $"{Output.Name} = {Op.Name}({string.Join(", ", Inputs.Select(i => i.Name))})";
}
