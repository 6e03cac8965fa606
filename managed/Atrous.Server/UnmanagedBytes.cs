using System.Buffers;
using Atrous.Tensors;

namespace Atrous.Server;

/// <summary>
/// Bytes outside the garbage-collected heap, gone when they are disposed. Bodies are of all sizes up to many megabytes:
/// a pool of arrays would keep some of each size for each thread, and the collector's heap would stay as large as it
/// ever was.
/// </summary>
internal sealed unsafe class UnmanagedBytes(int length) : MemoryManager<byte>
{
    private readonly NativeBuffer _buffer = new(length);

    /// <exception cref="ObjectDisposedException">They are gone.</exception>
    public override Span<byte> GetSpan() => new(_buffer.Pointer, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_buffer.Pointer + elementIndex, default, this);

    public override void Unpin()
    {
    }

    /// <summary>Frees them.</summary>
    public void Free() => ((IDisposable)this).Dispose();

    protected override void Dispose(bool disposing) => _buffer.Dispose();
}
