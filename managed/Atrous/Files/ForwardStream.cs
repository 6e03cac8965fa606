namespace Atrous.Files;

/// <summary>What read-only, forward-only streams have in common: everything that they cannot do.</summary>
internal abstract class ForwardStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    /// <summary>Reads and forgets.</summary>
    public static Stream Skip(Stream stream, long count)
    {
        var forgotten = new byte[(int)Math.Min(count, 1 << 16)];
        for (long left = count; left > 0; left -= Math.Min(left, forgotten.Length))
            stream.ReadExactly(forgotten, 0, (int)Math.Min(left, forgotten.Length));
        return stream;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
