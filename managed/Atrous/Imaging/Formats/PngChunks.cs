using System.Buffers.Binary;
using System.IO.Hashing;

namespace Atrous.Imaging.Formats;

/// <summary>A chunk of a PNG that is whole.</summary>
/// <param name="At">Where the chunk begins in the file.</param>
/// <param name="Size">The number of bytes of its data.</param>
/// <param name="Name">Its four letters, the first in the highest byte.</param>
internal readonly record struct PngChunk(long At, int Size, uint Name)
{
    /// <summary>Bytes of its length and name, and of its checksum.</summary>
    public const int Head = 8, Checksum = 4;

    public long End => At + Head + Size + Checksum;

    /// <summary>Whether these are its four letters.</summary>
    public bool Is(ReadOnlySpan<byte> name) => Name == BinaryPrimitives.ReadUInt32BigEndian(name);
}

/// <summary>The chunks of a PNG: whether the file is whole, and how the picture is to be turned.</summary>
internal sealed class PngChunks
{
    public const int SignatureSize = 8;

    /// <summary>More than any camera writes before the entry that tells how a picture is turned.</summary>
    private const int MostExif = 1 << 20;

    /// <summary>Pieces in which data are read for their checksum.</summary>
    private const int PieceSize = 1 << 14;

    private readonly PngBytes _file;
    private readonly byte[] _piece = new byte[PieceSize];

    /// <summary>Walks over the chunks of a file that begins with PNG's signature; nothing is unpacked.</summary>
    public PngChunks(PngBytes file)
    {
        _file = file;
        bool pixels = false, broken = false, end = false;
        long at = SignatureSize;
        while (at < file.Length && !end)
        {
            // A part of the end mark is no more than none. Of a chunk whose name is cut off too nobody knows whether it
            // had pixels; the unpacking tells whether a row is missing.
            if (file.Length - at < PngChunk.Head || IsBegunEnd(at))
                break;
            bool whole = TryRead(at, out PngChunk chunk), isPixels = chunk.Is("IDAT"u8);
            pixels |= isPixels;
            broken |= isPixels && !whole;
            if (!whole)
            {
                // What a name in small letters begins is no pixel's. All else is damage, not a file cut off.
                const uint smallLetter = 0x20 << 24;
                broken |= (chunk.Name & smallLetter) == 0;
                break;
            }
            if (isPixels && FirstPixels == 0)
                FirstPixels = at;
            end = chunk.Is("IEND"u8);
            const int animation = 8;
            if (chunk.Is("acTL"u8) && chunk.Size == animation)
                IsAnimated = BinaryPrimitives.ReadUInt32BigEndian(DataOf(chunk, animation)) > 1;
            if (chunk.Is("eXIf"u8))
                Orientation = Turning.OfExif(DataOf(chunk, MostExif));
            at = chunk.End;
        }
        (HasEnd, LacksOnlyEnd) = (end, pixels && !broken && !end);
        WholeSize = at;
    }

    /// <summary>The end mark is there.</summary>
    public bool HasEnd { get; }

    /// <summary>All chunks of pixels are whole, and the file stops before its end mark.</summary>
    public bool LacksOnlyEnd { get; }

    /// <summary>Where the first chunk of pixels begins; 0 where none is whole.</summary>
    public long FirstPixels { get; }

    /// <summary>As eXIf says, wherever it stands; 1 where there is none.</summary>
    public int Orientation { get; } = Turning.Upright;

    /// <summary>The file has more than one picture (APNG).</summary>
    public bool IsAnimated { get; }

    /// <summary>Where the last whole chunk ends.</summary>
    private long WholeSize { get; }

    /// <summary>The first bytes of a chunk's data, all where there are no more than that.</summary>
    public ReadOnlySpan<byte> DataOf(PngChunk chunk, int most)
    {
        var data = new byte[Math.Min(chunk.Size, most)];
        Read(chunk, 0, data);
        return data;
    }

    /// <summary>Copies data of a chunk from some byte of it on.</summary>
    public void Read(PngChunk chunk, int from, Span<byte> to) => _file.Read(chunk.At + PngChunk.Head + from, to);

    /// <summary>The chunk at this place, its checksum verified; false behind the last whole one.</summary>
    /// <exception cref="ImageException">The chunk is damaged.</exception>
    public bool TryCheck(long at, out PngChunk chunk)
    {
        if (at >= WholeSize || !TryRead(at, out chunk))
        {
            chunk = default;
            return false;
        }
        var sum = new Crc32();
        // Its name, its data and what they should sum up to.
        long next = at + sizeof(uint), end = chunk.End - PngChunk.Checksum;
        while (next < end)
        {
            Span<byte> piece = _piece.AsSpan(0, (int)Math.Min(end - next, PieceSize));
            _file.Read(next, piece);
            sum.Append(piece);
            next += piece.Length;
        }
        Span<byte> stated = stackalloc byte[PngChunk.Checksum];
        _file.Read(end, stated);
        if (sum.GetCurrentHashAsUInt32() != BinaryPrimitives.ReadUInt32BigEndian(stated))
            throw PngReader.Broken("a chunk's checksum is wrong");
        return true;
    }

    /// <summary>The checksums of all that stands from here on.</summary>
    /// <exception cref="ImageException">A chunk is damaged.</exception>
    public void CheckFrom(long at)
    {
        for (; TryCheck(at, out PngChunk chunk); at = chunk.End)
        {
        }
    }

    private bool IsBegunEnd(long at)
    {
        ReadOnlySpan<byte> end = [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];
        long left = _file.Length - at;
        if (left >= end.Length)
            return false;
        Span<byte> last = stackalloc byte[(int)left];
        _file.Read(at, last);
        return end.StartsWith(last);
    }

    /// <summary>False where the file stops within the chunk, whose head is there.</summary>
    private bool TryRead(long at, out PngChunk chunk)
    {
        Span<byte> head = stackalloc byte[PngChunk.Head];
        _file.Read(at, head);
        uint size = BinaryPrimitives.ReadUInt32BigEndian(head);
        chunk = new PngChunk(
            at, (int)Math.Min(size, int.MaxValue), BinaryPrimitives.ReadUInt32BigEndian(head[sizeof(uint)..]));
        return size <= int.MaxValue && chunk.End <= _file.Length;
    }
}
