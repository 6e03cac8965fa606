namespace Atrous.Checkpoints.Storages;

/// <summary>
/// The bytes behind one or more tensors, wherever they lie. Opening a stream costs nothing until it is read.
/// </summary>
internal abstract class Storage
{
    public abstract long Length { get; }

    /// <summary>
    /// A forward stream from a byte offset on. It throws <see cref="ModelException"/> where the bytes end too early.
    /// </summary>
    public abstract Stream OpenAt(long offset);
}

/// <summary>Bytes that can be read at any place.</summary>
internal abstract class ByteRegion : Storage
{
    /// <summary>Fills the destination; the caller stays within <see cref="Storage.Length"/>.</summary>
    public abstract void Read(long offset, Span<byte> destination);

    public abstract ByteRegion Slice(long offset, long length);

    public override Stream OpenAt(long offset) => new RegionStream(this, offset);

    public byte[] ToArray()
    {
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)Length));
        Read(0, bytes);
        return bytes;
    }
}

/// <summary>A part of a checkpoint file.</summary>
internal sealed class FileRegion : ByteRegion
{
    private readonly CheckpointFile _file;
    private readonly long _start;

    public FileRegion(CheckpointFile file, long start, long length)
    {
        if (start < 0 || length < 0 || start > file.Length - length)
            throw file.Error("is truncated: it refers to bytes after its end; copy or download it again");
        _file = file;
        _start = start;
        Length = length;
    }

    public override long Length { get; }

    public override void Read(long offset, Span<byte> destination) => _file.Read(_start + offset, destination);

    public override ByteRegion Slice(long offset, long length) => new FileRegion(_file, _start + offset, length);
}

/// <summary>Bytes in memory: small values that a pickle carries inline.</summary>
internal sealed class MemoryRegion(ReadOnlyMemory<byte> bytes) : ByteRegion
{
    public override long Length => bytes.Length;

    public override void Read(long offset, Span<byte> destination) =>
        bytes.Span.Slice((int)offset, destination.Length).CopyTo(destination);

    public override ByteRegion Slice(long offset, long length) =>
        new MemoryRegion(bytes.Slice((int)offset, (int)length));
}
