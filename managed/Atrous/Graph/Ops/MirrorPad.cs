using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Rows and columns around the picture that mirror it; its outermost ones are the mirror and are not repeated.
/// </summary>
/// <param name="Border">The number of rows or columns on each side, less than the picture has.</param>
internal sealed record MirrorPad(int Border) : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        return Border > 0 && Border < x.Height && Border < x.Width
            ? x with { Height = x.Height + 2 * Border, Width = x.Width + 2 * Border }
            : throw Misfit($"the input {x} has no {Border} row(s) and column(s) to mirror");
    }
}
