using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// y = (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c], with the statistics of each pixel's channels (layer
/// norm, Ba et al. 2016, arXiv:1607.06450) or of a whole picture (group norm of one group, Wu and He 2018,
/// arXiv:1803.08494).
/// </summary>
/// <param name="Scale">A factor for each channel.</param>
/// <param name="Shift">What is added to each channel.</param>
/// <param name="Epsilon">What is added to the variance.</param>
/// <param name="WholePicture">The statistics are those of all pixels and channels of a picture together.</param>
internal sealed record LayerNorm(float[] Scale, float[] Shift, double Epsilon, bool WholePicture) : Op
{
    internal override int? InPlaceInput(int inputs) => 0;

    // The distances from a mean have few correct bits of a number that was rounded.
    internal override InputType TypeOfInput(int input) => InputType.Float32;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        inputs[0].Channels == Scale.Length && Scale.Length == Shift.Length
            ? inputs[0]
            : throw Misfit($"{Scale.Length} factors for {inputs[0].Channels} channels");
}
