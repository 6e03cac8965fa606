using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Batch normalisation with frozen statistics: y = activation(scale[c] * x + shift[c]), where
/// scale = gamma / sqrt(variance + eps) and shift = beta - mean * scale. Mostly folded away; stays in front of a
/// convolution.
/// </summary>
/// <param name="Scale">One factor for each channel.</param>
/// <param name="Shift">One number for each channel, which is added to the product.</param>
/// <param name="Activation">The pointwise function that is applied last.</param>
public sealed record BatchNorm(float[] Scale, float[] Shift, Activation Activation) : Op, IActivated
{
    internal override int? InPlaceInput(int inputs) => 0;

    internal override ByteUse InBytes => ByteUse.Converts;

    internal override InputType TypeOfInput(int input) => InputType.Any;

    public Op WithActivation(Activation activation) => this with { Activation = activation };

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        inputs[0].Channels == Scale.Length && Scale.Length == Shift.Length
            ? inputs[0]
            : throw Misfit($"{Scale.Length} factors for {inputs[0].Channels} channels");
}

/// <summary>A pointwise function alone.</summary>
/// <param name="Activation">The pointwise function that is applied.</param>
public sealed record Activate(Activation Activation) : Op, IActivated
{
    internal override int? InPlaceInput(int inputs) => 0;

    internal override ByteUse InBytes => ByteUse.Converts;

    internal override InputType TypeOfInput(int input) => InputType.Any;

    public Op WithActivation(Activation activation) => this with { Activation = activation };

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) => inputs[0];
}

/// <summary>The binary operations. The numbers are those of <c>atrous_binary</c> in atrous.h.</summary>
public enum BinaryKind
{
    Add = 0,
    Multiply = 1,
    Maximum = 2,
}

/// <summary>
/// y = activation(a op b). b has a's shape, or is 1x1 in space and broadcast (squeeze-and-excite gates, pooled
/// features).
/// </summary>
/// <param name="Kind">Which operation it is.</param>
/// <param name="Activation">The pointwise function that is applied last.</param>
public sealed record Binary(BinaryKind Kind, Activation Activation) : Op, IActivated
{
    internal override int? InPlaceInput(int inputs) => 0;

    internal override ByteUse InBytes => ByteUse.Combines;

    public Op WithActivation(Activation activation) => this with { Activation = activation };

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape a = inputs[0], b = inputs[1];
        return b == a || b == (a with { Height = 1, Width = 1 }) ? a : throw Misfit($"{a} and {b} do not fit");
    }
}
