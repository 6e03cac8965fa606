using Atrous.Tensors;

namespace Atrous.Graph;

/// <summary>
/// What a node computes: parameters and shape inference, no execution. What it means exactly is its loop in
/// <c>Backends/Reference</c>.
/// </summary>
public abstract record Op
{
    /// <summary>The name that error messages and reports use.</summary>
    public string Name => GetType().Name;

    /// <summary>The element type of the output.</summary>
    public virtual DType OutputType => DType.Float32;

    /// <summary>The output's shape for these input shapes.</summary>
    /// <exception cref="ArgumentException">The inputs do not suit the operation.</exception>
    public abstract Shape OutputShape(IReadOnlyList<Shape> inputs);

    /// <summary>Multiply-adds of one run, as papers count them: convolutions only.</summary>
    public virtual long MultiplyAdds(IReadOnlyList<Shape> inputs) => 0;

    /// <summary>Throws <see cref="ArgumentException"/> with the operation's name in front.</summary>
    protected ArgumentException Misfit(string message) => new($"{Name}: {message}");
}

/// <summary>
/// An operation that ends with a pointwise function, so that a following activation can be fused into it.
/// </summary>
public interface IActivated
{
    Activation Activation { get; }

    /// <summary>The same operation with another activation.</summary>
    Op WithActivation(Activation activation);
}
