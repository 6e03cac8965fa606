using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>The types that kernels take.</summary>
internal enum KernelParameterType
{
    /// <summary>A <see cref="DeviceTensor"/> by value.</summary>
    View,

    /// <summary>A device address.</summary>
    Pointer,

    /// <summary>An int.</summary>
    Integer,

    /// <summary>A float.</summary>
    Real,
}

/// <summary>One parameter of a kernel, in the order of the launch.</summary>
internal readonly record struct KernelParameter(string Name, KernelParameterType Type);

/// <summary>An entry of the PTX that Atrous carries (native/cuda): what the driver must be told to launch it.</summary>
/// <param name="Name">The name of the entry.</param>
/// <param name="Module">The name of the PTX file that holds it, without its ending.</param>
/// <param name="BlockSize">The number of threads of a block, all along x; no launch may take another number.</param>
/// <param name="Parameters">The kernel's parameters, in the order of the launch.</param>
internal sealed record KernelSignature(
    string Name, string Module, int BlockSize, IReadOnlyList<KernelParameter> Parameters);

/// <summary>An NHWC view in device memory: <c>tensor</c> in native/cuda/tensor.h, field by field.</summary>
/// <param name="Data">The address of the first element; 0 for a tensor that is not there.</param>
/// <param name="PixelStride">
/// The number of elements from a pixel to the next: the channels of the tensor that this is a slice of.
/// </param>
/// <param name="Batch">The number of pictures.</param>
/// <param name="Height">The number of rows of a picture.</param>
/// <param name="Width">The number of columns of a picture.</param>
/// <param name="Channels">The channels of a pixel that the view shows.</param>
internal readonly record struct DeviceTensor(
    nint Data, long PixelStride, int Batch, int Height, int Width, int Channels)
{
    public DeviceTensor(nint data, long pixelStride, Shape shape)
        : this(data, pixelStride, shape.Batch, shape.Height, shape.Width, shape.Channels)
    {
    }

    public Shape Shape => new(Batch, Height, Width, Channels);
}
