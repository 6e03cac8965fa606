using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Formats;

/// <summary>
/// A stream that can seek, as LibTiff reads or writes it. LibTiff makes a message of what the stream throws; here it is
/// kept.
/// </summary>
internal sealed class TiffOnStream(Stream stream) : TiffStream
{
    /// <summary>What the stream threw; null for nothing.</summary>
    public IOException? Thrown { get; private set; }

    public override int Read(object clientData, byte[] buffer, int offset, int count) =>
        Kept(() => stream.ReadAtLeast(buffer.AsSpan(offset, count), count, throwOnEndOfStream: false));

    public override void Write(object clientData, byte[] buffer, int offset, int count) => Kept(() =>
    {
        stream.Write(buffer, offset, count);
        return count;
    });

    /// <exception cref="EndOfStreamException">The file says a place before its beginning.</exception>
    public override long Seek(object clientData, long offset, SeekOrigin origin) => Kept(() =>
    {
        long from = origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => stream.Position,
            _ => stream.Length,
        };
        return from + offset >= 0
            ? stream.Seek(offset, origin)
            : throw new EndOfStreamException("there is nothing before the beginning of a file");
    });

    /// <summary>The stream is its owner's to close.</summary>
    public override void Close(object clientData)
    {
    }

    public override long Size(object clientData) => Kept(() => stream.Length);

    private T Kept<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException e)
        {
            Thrown ??= e;
            throw;
        }
    }
}
