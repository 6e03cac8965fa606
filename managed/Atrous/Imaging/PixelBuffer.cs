using System.Runtime.InteropServices;
using Atrous.Native;

namespace Atrous.Imaging;

/// <summary>Holds a picture's pixels until they are given back: its own, or somebody else's.</summary>
internal sealed unsafe class PixelBuffer : SafeHandle
{
    private static long _live;
    private readonly bool _allocated;
    private readonly IDisposable? _owner;
    private readonly NativeImage _image;

    /// <summary>Allocates black pixels in packed rows.</summary>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public PixelBuffer(int height, int width, PixelFormat format)
        : this(Allocate(height, width, format.Channels()), format, allocated: true, null)
    {
    }

    /// <summary>Uses pixels that stay where they are, and disposes their owner in the end.</summary>
    public PixelBuffer(NativeImage pixels, PixelFormat format, IDisposable? owner)
        : this(pixels, format, allocated: false, owner)
    {
    }

    private PixelBuffer(NativeImage image, PixelFormat format, bool allocated, IDisposable? owner)
        : base(0, ownsHandle: true)
    {
        image.RowStride = image.RowStride != 0 ? image.RowStride : (long)image.Width * image.Channels;
        (_image, Format, _allocated, _owner) = (image, format, allocated, owner);
        SetHandle((nint)image.Pixels);
        Interlocked.Increment(ref _live);
    }

    /// <summary>Buffers not yet freed, in the whole process. For leak checks.</summary>
    public static long LiveCount => Interlocked.Read(ref _live);

    public override bool IsInvalid => handle == 0;

    /// <summary>The picture, whose pixels stay as long as the buffer is not disposed.</summary>
    public NativeImage Image => _image;

    public PixelFormat Format { get; }

    protected override bool ReleaseHandle()
    {
        if (_allocated)
            NativeMemory.Free(_image.Pixels);
        _owner?.Dispose();
        Interlocked.Decrement(ref _live);
        return true;
    }

    private static NativeImage Allocate(int height, int width, int channels) => new()
    {
        Pixels = (byte*)NativeMemory.AllocZeroed((nuint)height * (nuint)width * (nuint)channels),
        Height = height,
        Width = width,
        Channels = channels,
    };
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
