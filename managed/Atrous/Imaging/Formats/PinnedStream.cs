using System.Buffers;

namespace Atrous.Imaging.Formats;

/// <summary>Reads memory, without a copy, as a stream that can seek. The memory is held until it is disposed.</summary>
internal sealed unsafe class PinnedStream : UnmanagedMemoryStream
{
    private MemoryHandle _pin;

    /// <param name="memory">The memory to read, at least one byte.</param>
    public PinnedStream(ReadOnlyMemory<byte> memory)
    {
        _pin = memory.Pin();
        Initialize((byte*)_pin.Pointer, memory.Length, memory.Length, FileAccess.Read);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _pin.Dispose();
    }
}
