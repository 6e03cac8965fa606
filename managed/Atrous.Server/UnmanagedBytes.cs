using System.Buffers;
using Atrous.Tensors;

namespace Atrous.Server;

/// <summary>
/// Bytes outside the garbage-collected heap, gone when they are disposed. Bodies are of all sizes up to many megabytes:
/// a pool of arrays would keep some of each size for each thread, and the collector's heap would stay as large as it
/// ever was.
/// </summary>
/// <param name="length">The number of bytes.</param>
/// <param name="reused">
/// For what comes with every picture and counts as one: large ones are kept for the next, until the pictures' memory is
/// given back to the system.
/// </param>
internal sealed unsafe class UnmanagedBytes(int length, bool reused = false) : MemoryManager<byte>
{
    private readonly NativeBuffer _buffer = new(length, reused);

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
