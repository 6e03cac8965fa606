using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>How a value lies in device memory.</summary>
/// <param name="Type">The type of the elements.</param>
/// <param name="Channels">
/// The channels of a pixel: the value's own and those that pad, which are finite and meet zero weights only.
/// </param>
internal readonly record struct Format(DType Type, int Channels)
{
    /// <summary>What the caller of a network gives and gets: float32, the value's own channels.</summary>
    public static Format Plain(Shape shape) => new(DType.Float32, shape.Channels);

    /// <summary>Labels of so many classes: bytes where these tell them apart.</summary>
    public static Format Labels(int classes) =>
        new(classes <= byte.MaxValue + 1 ? DType.UInt8 : DType.UInt16, 1);

    /// <summary>
    /// What convolutions read and write: whole chunks of 16 bytes, which tensor cores and cuDNN's fused engines ask
    /// for.
    /// </summary>
    public static Format Stored(DType storage, int channels)
    {
        int lanes = Lanes(storage);
        return new Format(storage, (channels + lanes - 1) / lanes * lanes);
    }

    /// <summary>Elements of a chunk of 16 bytes.</summary>
    public static int Lanes(DType type) => 16 / type.SizeInBytes();

    /// <summary>What a precision keeps weights and activations in.</summary>
    public static DType StorageOf(Precision precision) => precision switch
    {
        Precision.Fp32 or Precision.Tf32 => DType.Float32,
        Precision.Fp16 => DType.Float16,
        Precision.Bf16 => DType.BFloat16,
        _ => throw new UnavailableException(
            $"CUDA devices do not compute in {precision.ToString().ToLowerInvariant()}.")
        {
            Remedy = Remedy.ChangePrecision | Remedy.UseCpu,
        },
    };
}
