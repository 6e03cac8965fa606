using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>Softmax along the channels.</summary>
public sealed record Softmax : Op
{
    public override Shape OutputShape(IReadOnlyList<Shape> inputs) => inputs[0];
}

/// <summary>
/// The class of every pixel, the lowest index among equals: uint16 [N, H, W, 1]. With <see cref="Upsample"/> the logits
/// are resized first, as one step that never holds them at full size.
/// </summary>
public sealed record Argmax(ResizeBilinear? Upsample = null) : Op
{
    public override DType OutputType => DType.UInt16;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        (Upsample?.OutputShape(inputs) ?? inputs[0]) with { Channels = 1 };
}

/// <summary>
/// The softmax probability of the winning class of every pixel: float32 [N, H, W, 1]. With <see cref="Upsample"/> the
/// logits are resized first.
/// </summary>
public sealed record Confidence(ResizeBilinear? Upsample = null) : Op
{
    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        (Upsample?.OutputShape(inputs) ?? inputs[0]) with { Channels = 1 };
}
