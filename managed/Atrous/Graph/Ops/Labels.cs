using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Softmax along the channels; or, where they are several slices of equal width, among the slices, for each channel of
/// a slice by itself (the shares of split attention, Zhang et al. 2020, arXiv:2004.08955, section 3.1).
/// </summary>
public sealed record Softmax : Op
{
    /// <summary>The number of slices that share; 1 where all channels of a pixel do.</summary>
    internal int Slices { get; init; } = 1;

    internal override bool KeepsType => true;

    internal override int? InPlaceInput(int inputs) => 0;

    internal override InputType TypeOfInput(int input) => InputType.Float32;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) => Slices >= 1 && inputs[0].Channels % Slices == 0
        ? inputs[0]
        : throw Misfit($"{inputs[0].Channels} channels are not {Slices} slices");
}

/// <summary>
/// What is made of each pixel's scores. With <see cref="Upsample"/> they are resized first, never held at full size.
/// </summary>
/// <param name="Upsample">How the scores are resized; null for not at all.</param>
public abstract record LabelOp(ResizeBilinear? Upsample) : Op
{
    internal override bool WritesSlices => false;

    internal override bool KeepsType => true;

    internal override InputType TypeOfInput(int input) => InputType.Float32;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        (Upsample?.OutputShape(inputs) ?? inputs[0]) with { Channels = 1 };
}

/// <summary>The class of every pixel, the lowest index among equals: uint16 [N, H, W, 1].</summary>
/// <param name="Upsample">How the scores are resized first; null for not at all.</param>
public sealed record Argmax(ResizeBilinear? Upsample = null) : LabelOp(Upsample)
{
    public override DType OutputType => DType.UInt16;
}

/// <summary>The softmax probability of the winning class of every pixel: float32 [N, H, W, 1].</summary>
/// <param name="Upsample">How the scores are resized first; null for not at all.</param>
public sealed record Confidence(ResizeBilinear? Upsample = null) : LabelOp(Upsample);

/// <summary>
/// Both in one look at the scores: <see cref="Argmax"/> is the output, <see cref="Confidence"/> the second output.
/// </summary>
/// <param name="Upsample">How the scores are resized first; null for not at all.</param>
internal sealed record LabelsWithConfidence(ResizeBilinear? Upsample = null) : LabelOp(Upsample)
{
    public override DType OutputType => DType.UInt16;

    internal override DType? SecondOutputType => DType.Float32;
}
