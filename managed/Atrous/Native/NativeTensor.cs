using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <summary>atrous_tensor: an NHWC view that owns nothing.</summary>
/// <param name="data">The address of the first element.</param>
/// <param name="pixelStride">
/// The number of elements from one pixel to the next, at least <paramref name="channels"/>.
/// </param>
/// <param name="batch">The number of pictures.</param>
/// <param name="height">The number of rows.</param>
/// <param name="width">The number of pixels of a row.</param>
/// <param name="channels">The number of elements of a pixel that the view shows.</param>
/// <param name="type">What an element is.</param>
/// <param name="step">What lies between two neighbouring elements of uint8; others have none.</param>
/// <param name="zero">The element of uint8 that stands for 0; others have none.</param>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeTensor(
    void* data, long pixelStride, int batch, int height, int width, int channels, NativeType type = NativeType.Float32,
    float step = 0, int zero = 0)
{
    public void* Data = data;
    public long PixelStride = pixelStride;
    public int Batch = batch;
    public int Height = height;
    public int Width = width;
    public int Channels = channels;
    public NativeType Type = type;
    public float Step = step;
    public int Zero = zero;
}

/// <summary>atrous_type.</summary>
internal enum NativeType
{
    Float32 = 0,
    BFloat16 = 1,
    UInt8 = 2,
}
