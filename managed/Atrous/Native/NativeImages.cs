using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <summary>atrous_image: 8-bit interleaved pixels.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeImage
{
    public byte* Pixels;
    public int Height;
    public int Width;
    public int Channels;

    /// <summary>Bytes from a row to the next; 0 where rows are packed.</summary>
    public long RowStride;
}

/// <summary>atrous_normalize_desc: every array has one entry per output channel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeNormalize
{
    public float Scale;
    public int Top;
    public int Left;
    public float* Mean;
    public float* Std;
    public float* Fill;
    public int* Order;
}
