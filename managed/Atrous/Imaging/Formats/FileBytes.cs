namespace Atrous.Imaging.Formats;

/// <summary>
/// A file in memory that stays where it is, and that may be longer than a span: a mapped one. Whoever made it keeps it.
/// </summary>
internal readonly unsafe struct FileBytes(byte* start, long length)
{
    public long Length => length;

    public byte* Start => start;

    /// <summary>Bytes of the file; callers keep within its length.</summary>
    public ReadOnlySpan<byte> Slice(long at, int size) => new(start + at, size);
}
