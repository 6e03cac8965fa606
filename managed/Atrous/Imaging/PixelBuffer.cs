using System.Runtime.InteropServices;
using Atrous.Native;

namespace Atrous.Imaging;

/// <summary>Owns a picture's pixels, libatrous's or its own.</summary>
internal sealed unsafe class PixelBuffer : SafeHandle
{
    private static long _live;
    private readonly bool _isDecoded;
    private NativeImage _image;

    /// <summary>Takes over what libatrous decoded.</summary>
    public PixelBuffer(NativeImage decoded)
        : base(0, ownsHandle: true)
    {
        _isDecoded = true;
        Hold(decoded);
    }

    /// <summary>Allocates black pixels.</summary>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public PixelBuffer(int height, int width, int channels)
        : base(0, ownsHandle: true)
    {
        var pixels = (byte*)NativeMemory.AllocZeroed((nuint)height * (nuint)width * (nuint)channels);
        Hold(new NativeImage { Pixels = pixels, Height = height, Width = width, Channels = channels });
    }

    /// <summary>Buffers not yet freed, in the whole process. For leak checks.</summary>
    public static long LiveCount => Interlocked.Read(ref _live);

    public override bool IsInvalid => handle == 0;

    /// <summary>The picture, whose pixels stay as long as the buffer is not disposed.</summary>
    public NativeImage Image => _image;

    public int SizeInBytes => _image.Height * _image.Width * _image.Channels;

    protected override bool ReleaseHandle()
    {
        if (_isDecoded)
            LibAtrous.ImageFree(ref _image);
        else
            NativeMemory.Free(_image.Pixels);
        Interlocked.Decrement(ref _live);
        return true;
    }

    private void Hold(NativeImage image)
    {
        _image = image;
        SetHandle((nint)image.Pixels);
        Interlocked.Increment(ref _live);
    }
}

/// <summary>
/// Keeps a picture's pixels while libatrous works on them, even when another thread disposes the picture.
/// </summary>
internal readonly ref struct PixelLease : IDisposable
{
    /// <summary>The picture.</summary>
    public readonly NativeImage Image;

    private readonly PixelBuffer _buffer;

    public PixelLease(PixelBuffer buffer)
    {
        bool added = false;
        buffer.DangerousAddRef(ref added);
        _buffer = buffer;
        Image = buffer.Image;
    }

    public void Dispose() => _buffer.DangerousRelease();
}
