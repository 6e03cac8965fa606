using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Backends.Cuda;

/// <summary>The format in which an operation's output is made.</summary>
internal enum MadeFormat
{
    /// <summary>That of convolutions.</summary>
    Stored,

    /// <summary>That of the first input.</summary>
    OfInput,

    /// <summary>The caller's: float32 without channels that pad.</summary>
    Plain,

    /// <summary>One label a pixel, for the caller and inside the network alike.</summary>
    Labels,
}

/// <summary>What the device's step of an operation asks of formats.</summary>
/// <param name="Made">The format of the output.</param>
/// <param name="ReadsAny">Inputs may have any format; otherwise they come in that of convolutions.</param>
/// <param name="WritesAny">A network's output is written in the caller's format without a conversion.</param>
/// <param name="InPlace">
/// The kernel may write over what it reads element for element, where both have one format. cuDNN does not promise as
/// much for the residual of a fused convolution.
/// </param>
internal readonly record struct DeviceFormats(
    MadeFormat Made, bool ReadsAny = false, bool WritesAny = false, bool InPlace = false)
{
    /// <summary>One row per operation.</summary>
    /// <exception cref="UnavailableException">The GPU does not have the operation.</exception>
    public static DeviceFormats Of(Op op) => op switch
    {
        Conv2d => new(MadeFormat.Stored),
        BatchNorm => new(MadeFormat.Stored, InPlace: true),
        Activate => new(MadeFormat.Stored, InPlace: true),
        Binary => new(MadeFormat.Stored, InPlace: true),
        MaxPool2d => new(MadeFormat.Stored),
        AveragePool2d => new(MadeFormat.Stored),
        GlobalAveragePool => new(MadeFormat.Stored),
        ResizeBilinear => new(MadeFormat.OfInput, ReadsAny: true, WritesAny: true),
        SliceChannels => new(MadeFormat.Stored),
        Crop => new(MadeFormat.OfInput, ReadsAny: true, WritesAny: true),
        MirrorPad => new(MadeFormat.OfInput, ReadsAny: true, WritesAny: true),
        Concat => new(MadeFormat.Stored, ReadsAny: true, WritesAny: true),
        LayerNorm => new(MadeFormat.Stored),
        GlobalResponse => new(MadeFormat.Plain, ReadsAny: true),
        Attention => new(MadeFormat.Stored),
        LinearAttention => new(MadeFormat.Stored),
        Softmax => new(MadeFormat.Plain, ReadsAny: true),
        Argmax => new(MadeFormat.Labels, ReadsAny: true),
        Confidence => new(MadeFormat.Plain, ReadsAny: true),
        LabelsWithConfidence => new(MadeFormat.Labels, ReadsAny: true),
        _ => throw new UnavailableException($"The CUDA backend has no operation {op.Name}."),
    };
}
