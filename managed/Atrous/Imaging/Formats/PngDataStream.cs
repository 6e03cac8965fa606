using Atrous.Files;

namespace Atrous.Imaging.Formats;

/// <summary>What a PNG's consecutive chunks of pixels hold, each verified before a byte of it is handed out.</summary>
internal sealed class PngDataStream(PngChunks chunks) : ForwardStream
{
    private PngChunk _chunk = new(chunks.FirstPixels, -1, 0);
    private int _read;

    /// <summary>There is nothing more; what follows is <see cref="Next"/>.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Where the first chunk begins that was not looked at yet.</summary>
    public long Next { get; private set; } = chunks.FirstPixels;

    public override int Read(Span<byte> buffer)
    {
        while (_read >= _chunk.Size)
        {
            if (IsAtEnd || !chunks.TryCheck(Next, out PngChunk chunk) || !chunk.Is("IDAT"u8))
            {
                IsAtEnd = true;
                return 0;
            }
            (_chunk, _read, Next) = (chunk, 0, chunk.End);
        }
        int count = Math.Min(buffer.Length, _chunk.Size - _read);
        chunks.Read(_chunk, _read, buffer[..count]);
        _read += count;
        return count;
    }
}
