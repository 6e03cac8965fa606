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

    /// <summary>
    /// The element type of the second output, which has the first one's shape; null where there is only one output.
    /// </summary>
    internal virtual DType? SecondOutputType => null;

    /// <summary>
    /// The index of the input over which the output may be written element for element, where nobody else needs that
    /// input any more; null where the operation reads an element after its place was written.
    /// </summary>
    /// <param name="inputs">The number of inputs, of which a residual is one.</param>
    internal virtual int? InPlaceInput(int inputs) => null;

    /// <summary>Whether the output can be a slice of a wider tensor: a part of each pixel's channels.</summary>
    internal virtual bool WritesSlices => true;

    /// <summary>
    /// Whether the output keeps its type where values are stored in fewer bits: labels and probabilities do.
    /// </summary>
    internal virtual bool KeepsType => false;

    /// <summary>The type in which an input is taken where values are stored in fewer bits.</summary>
    /// <param name="input">The index of the input, from 0.</param>
    internal virtual InputType TypeOfInput(int input) => InputType.OfOutput;

    /// <summary>What the operation does with values of 8 bits.</summary>
    internal virtual ByteUse InBytes => ByteUse.None;

    /// <summary>The output's shape for these input shapes.</summary>
    /// <param name="inputs">The shapes of the inputs, in their order.</param>
    /// <exception cref="ArgumentException">The inputs do not suit the operation.</exception>
    public abstract Shape OutputShape(IReadOnlyList<Shape> inputs);

    /// <summary>Multiply-adds of one run, as papers count them: convolutions and attention.</summary>
    /// <param name="inputs">The shapes of the inputs, in their order.</param>
    public virtual long MultiplyAdds(IReadOnlyList<Shape> inputs) => 0;

    /// <summary>Throws <see cref="ArgumentException"/> with the operation's name in front.</summary>
    /// <param name="message">What does not fit; the op's name is put before it.</param>
    protected ArgumentException Misfit(string message) => new($"{Name}: {message}");
}

/// <summary>In which type an operation takes an input, where a network stores its values in fewer bits.</summary>
internal enum InputType
{
    /// <summary>The type of its output.</summary>
    OfOutput,

    /// <summary>Whatever type the value has.</summary>
    Any,

    /// <summary>Float32 only.</summary>
    Float32,
}

/// <summary>What an operation does with values of 8 bits, which stand for numbers of a range.</summary>
internal enum ByteUse
{
    /// <summary>It has none: inputs and output are float32.</summary>
    None,

    /// <summary>
    /// Its outputs are its inputs' elements, or means of them: all of them have 8 bits and one range, or none has.
    /// </summary>
    HandsOn,

    /// <summary>It takes its first input in either type and makes either type, with a range of its own.</summary>
    Converts,

    /// <summary>All its inputs and its output have 8 bits, each with a range of its own, or none has.</summary>
    Combines,

    /// <summary>It multiplies 8 bits by 8 bits where its kernel has them, and makes either type.</summary>
    Multiplies,
}

/// <summary>
/// An operation that ends with a pointwise function, so that a following activation can be fused into it.
/// </summary>
internal interface IActivated
{
    Activation Activation { get; }

    /// <summary>The same operation with another activation.</summary>
    Op WithActivation(Activation activation);
}
