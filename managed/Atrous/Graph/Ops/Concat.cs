using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Concatenation along the channels, in the inputs' order. Costs nothing where the makers write into their slices.
/// </summary>
public sealed record Concat : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        int channels = 0;
        for (int i = 0; i < inputs.Count; i++)
        {
            if (inputs[i] with { Channels = 0 } != inputs[0] with { Channels = 0 })
                throw Misfit($"{inputs[0]} and {inputs[i]} differ in more than channels");
            channels += inputs[i].Channels;
        }
        return inputs[0] with { Channels = channels };
    }
}

/// <summary>A window of the picture: rows Top.. and columns Left.. of the input.</summary>
/// <param name="Top">The first row that is taken, counted from 0.</param>
/// <param name="Left">The first column that is taken, counted from 0.</param>
/// <param name="Height">The number of rows of the output.</param>
/// <param name="Width">The number of columns of the output.</param>
public sealed record Crop(int Top, int Left, int Height, int Width) : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        Top >= 0 && Left >= 0 && Height > 0 && Width > 0
        && Top + Height <= inputs[0].Height && Left + Width <= inputs[0].Width
            ? inputs[0] with { Height = Height, Width = Width }
            : throw Misfit($"the window {Height}x{Width} at ({Top}, {Left}) leaves the input {inputs[0]}");
}
