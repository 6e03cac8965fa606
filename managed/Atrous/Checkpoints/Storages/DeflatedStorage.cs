using System.IO.Compression;
using Atrous.Files;

namespace Atrous.Checkpoints.Storages;

/// <summary>
/// A storage that somebody packed again: unpacked while it is read, never further than a tensor needs.
/// </summary>
internal sealed class DeflatedStorage(ByteRegion packed, long length) : Storage
{
    public override long Length => length;

    public override Stream OpenAt(long offset) =>
        ForwardStream.Skip(new DeflateStream(packed.OpenAt(0), CompressionMode.Decompress), offset);

    /// <summary>All of a record that has to be in memory at once.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[checked((int)length)];
        using Stream stream = OpenAt(0);
        stream.ReadExactly(bytes);
        return bytes;
    }
}
