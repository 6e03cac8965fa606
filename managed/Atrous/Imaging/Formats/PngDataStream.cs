namespace Atrous.Imaging.Formats;

/// <summary>What a PNG's consecutive chunks of pixels hold, each verified before a byte of it is handed out.</summary>
internal sealed class PngDataStream(PngChunks chunks) : Stream
{
    private PngChunk _chunk = new(chunks.FirstPixels, -1);
    private int _read;

    /// <summary>There is nothing more; what follows is <see cref="Next"/>.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Where the first chunk begins that was not looked at yet.</summary>
    public long Next { get; private set; } = chunks.FirstPixels;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        while (_read >= _chunk.Size)
        {
            if (IsAtEnd || !chunks.TryCheck(Next, out PngChunk chunk) || !chunks.Is(chunk, "IDAT"u8))
            {
                IsAtEnd = true;
                return 0;
            }
            (_chunk, _read, Next) = (chunk, 0, chunk.End);
        }
        int count = Math.Min(buffer.Length, _chunk.Size - _read);
        chunks.DataOf(_chunk).Slice(_read, count).CopyTo(buffer);
        _read += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
