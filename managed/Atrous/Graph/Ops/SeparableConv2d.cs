using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// A depthwise convolution and the 1x1 convolution that alone reads it, as one (Chollet 2017, arXiv:1610.02357): what
/// is between them needs no memory of a graph's. Inputs: x, and optionally a residual of the output's shape.
/// </summary>
/// <param name="Depthwise">One filter a channel.</param>
/// <param name="Pointwise">The second convolution, 1x1 at stride 1, without padding.</param>
/// <param name="Between">The type of what the first gives to the second.</param>
internal sealed record SeparableConv2d(Conv2d Depthwise, Conv2d Pointwise, DType Between) : Op
{
    internal override int? InPlaceInput(int inputs) => inputs == 2 ? 1 : null;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        Pointwise.OutputShape([Depthwise.OutputShape([inputs[0]]), .. inputs.Skip(1)]);

    public override long MultiplyAdds(IReadOnlyList<Shape> inputs) =>
        Depthwise.MultiplyAdds([inputs[0]]) + Pointwise.MultiplyAdds([Depthwise.OutputShape([inputs[0]])]);
}
