using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// What global response normalisation (Woo et al. 2023, arXiv:2301.00808, section 4) multiplies each channel with:
/// y[c] = 1 + scale[c] * norm[c] / (the mean of all channels' norms + epsilon), norm[c] being the square root of the
/// sum of the channel's squares over the picture; 1x1 per channel.
/// </summary>
/// <param name="Scale">A factor for each channel.</param>
/// <param name="Epsilon">What is added to the mean of the norms.</param>
internal sealed record GlobalResponse(float[] Scale, double Epsilon) : Op
{
    // The norm of a large picture is more than 16 bits hold.
    internal override bool KeepsType => true;

    internal override InputType TypeOfInput(int input) => InputType.Float32;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        inputs[0].Channels == Scale.Length
            ? inputs[0] with { Height = 1, Width = 1 }
            : throw Misfit($"{Scale.Length} factors for {inputs[0].Channels} channels");
}
