using Microsoft.Win32.SafeHandles;

namespace Atrous.Imaging.Formats;

/// <summary>The bytes of a PNG, wherever they are.</summary>
internal abstract class PngBytes
{
    public abstract long Length { get; }

    /// <summary>Copies bytes of the file; callers keep within its length.</summary>
    /// <exception cref="ImageException">They cannot be read.</exception>
    public abstract void Read(long at, Span<byte> to);
}

/// <summary>A PNG in memory.</summary>
internal sealed class PngInMemory(FileBytes file) : PngBytes
{
    public override long Length => file.Length;

    public override void Read(long at, Span<byte> to) => file.Slice(at, to.Length).CopyTo(to);
}

/// <summary>
/// A PNG on a disk. It is read, never mapped: where a mapped page cannot be had, because the disk fails or somebody
/// made the file shorter, the whole process ends.
/// </summary>
/// <param name="file">An open file, which stays its owner's.</param>
/// <param name="length">The number of bytes that it has.</param>
internal sealed class PngInFile(SafeFileHandle file, long length) : PngBytes
{
    public override long Length => length;

    public override void Read(long at, Span<byte> to)
    {
        try
        {
            while (!to.IsEmpty)
            {
                int read = RandomAccess.Read(file, to, at);
                if (read == 0)
                    throw new ImageException("the file became shorter while it was read; use one that stays as it is.");
                at += read;
                to = to[read..];
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"the file cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
