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

    public override long Seek(object clientData, long offset, SeekOrigin origin) =>
        Kept(() => stream.Seek(offset, origin));

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
