using System.IO.Compression;

namespace Atrous.Checkpoints.Containers;

/// <summary>A storage that somebody packed again: unpacked while it is read, never further than a tensor needs.</summary>
internal sealed class DeflatedStorage(ByteRegion packed, long length) : Storage
{
    public override long Length => length;

    public override Stream OpenAt(long offset)
    {
        var stream = new DeflateStream(packed.OpenAt(0), CompressionMode.Decompress);
        var skipped = new byte[(int)Math.Min(offset, 1 << 16)];
        for (long left = offset; left > 0; left -= Math.Min(left, skipped.Length))
            stream.ReadExactly(skipped, 0, (int)Math.Min(left, skipped.Length));
        return stream;
    }

    /// <summary>All of a record that has to be in memory at once.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[checked((int)length)];
        using Stream stream = OpenAt(0);
        stream.ReadExactly(bytes);
        return bytes;
    }
}
