using System.Buffers.Binary;
using System.IO.Hashing;

namespace Atrous.Imaging.Formats;

/// <summary>A chunk of a PNG that is whole.</summary>
/// <param name="At">Where the chunk begins in the file.</param>
/// <param name="Size">The number of bytes of its data.</param>
internal readonly record struct PngChunk(long At, int Size)
{
    /// <summary>Bytes of its length and name, and of its checksum.</summary>
    public const int Head = 8, Checksum = 4;

    public long End => At + Head + Size + Checksum;
}

/// <summary>The chunks of a PNG: whether the file is whole, and how the picture is to be turned.</summary>
internal sealed class PngChunks
{
    public const int SignatureSize = 8;

    private readonly FileBytes _file;

    /// <summary>Walks over the chunks of a file that begins with PNG's signature; nothing is unpacked.</summary>
    public PngChunks(FileBytes file)
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
            bool whole = TryRead(at, out PngChunk chunk), isPixels = Is(chunk, "IDAT"u8);
            pixels |= isPixels;
            broken |= isPixels && !whole;
            if (!whole)
            {
                // What a name in small letters begins is no pixel's. All else is damage, not a file cut off.
                const byte smallLetter = 0x20;
                broken |= (NameOf(chunk)[0] & smallLetter) == 0;
                break;
            }
            if (isPixels && FirstPixels == 0)
                FirstPixels = at;
            end = Is(chunk, "IEND"u8);
            const int animation = 8;
            if (Is(chunk, "acTL"u8) && chunk.Size == animation)
                IsAnimated = BinaryPrimitives.ReadUInt32BigEndian(DataOf(chunk)) > 1;
            if (Is(chunk, "eXIf"u8))
                Orientation = Turning.OfExif(DataOf(chunk));
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

    public bool Is(PngChunk chunk, ReadOnlySpan<byte> name) => NameOf(chunk).SequenceEqual(name);

    public ReadOnlySpan<byte> DataOf(PngChunk chunk) => _file.Slice(chunk.At + PngChunk.Head, chunk.Size);

    /// <summary>The chunk at this place, its checksum verified; false behind the last whole one.</summary>
    /// <exception cref="ImageException">The chunk is damaged.</exception>
    public bool TryCheck(long at, out PngChunk chunk)
    {
        if (at >= WholeSize || !TryRead(at, out chunk))
        {
            chunk = default;
            return false;
        }
        uint stated = BinaryPrimitives.ReadUInt32BigEndian(_file.Slice(chunk.End - PngChunk.Checksum, sizeof(uint)));
        var sum = new Crc32();
        sum.Append(NameOf(chunk));
        sum.Append(DataOf(chunk));
        if (sum.GetCurrentHashAsUInt32() != stated)
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

    private ReadOnlySpan<byte> NameOf(PngChunk chunk) => _file.Slice(chunk.At + sizeof(uint), sizeof(uint));

    private bool IsBegunEnd(long at)
    {
        ReadOnlySpan<byte> end = [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];
        long left = _file.Length - at;
        return left < end.Length && end.StartsWith(_file.Slice(at, (int)left));
    }

    /// <summary>False where the file stops within the chunk, whose head is there.</summary>
    private bool TryRead(long at, out PngChunk chunk)
    {
        uint size = BinaryPrimitives.ReadUInt32BigEndian(_file.Slice(at, sizeof(uint)));
        chunk = new PngChunk(at, (int)Math.Min(size, int.MaxValue));
        return size <= int.MaxValue && chunk.End <= _file.Length;
    }
}
