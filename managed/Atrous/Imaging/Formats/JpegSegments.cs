using System.Buffers.Binary;

namespace Atrous.Imaging.Formats;

/// <summary>The segments of a JPEG between its pixels: a marker, a length, and data.</summary>
internal ref struct JpegSegments(ReadOnlySpan<byte> file, int at)
{
    public const byte Scan = 0xDA, End = 0xD9, Huffman = 0xC4, Quantization = 0xDB, RestartInterval = 0xDD,
        FirstRestart = 0xD0;

    private readonly ReadOnlySpan<byte> _file = file;
    public byte Marker { get; private set; }

    /// <summary>Where the segment's data begin.</summary>
    public int At { get; private set; }

    /// <summary>Where the segment ends.</summary>
    public int Behind { get; private set; } = at;

    /// <summary>The segment's data; empty for a marker that stands alone.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    public static bool IsFrame(byte marker) =>
        marker is >= 0xC0 and <= 0xCF and not (Huffman or 0xC8 or 0xCC);

    /// <summary>Where the next marker, which is no stuffed byte, ends from here on; -1 where there is none.</summary>
    public static int EndOfMarker(ReadOnlySpan<byte> file, int at)
    {
        while (true)
        {
            int mark = file[at..].IndexOf(byte.MaxValue);
            if (mark < 0)
                return -1;
            at += mark;
            int code = file[at..].IndexOfAnyExcept(byte.MaxValue);
            if (code < 0)
                return -1;
            at += code + 1;
            if (file[at - 1] != 0)
                return at;
        }
    }

    /// <summary>
    /// Goes to the next segment; bytes between segments are passed over. False where the file ends in it or before it.
    /// </summary>
    /// <exception cref="ImageException">A segment is shorter than its own length.</exception>
    public bool TryNext()
    {
        int at = EndOfMarker(_file, Behind);
        if (at < 0)
            return false;
        Marker = _file[at - 1];
        bool alone = Marker is 0x01 or (>= FirstRestart and <= End);
        int size = 0;
        if (!alone)
        {
            if (_file.Length - at < sizeof(ushort))
                return false;
            size = BinaryPrimitives.ReadUInt16BigEndian(_file[at..]) - sizeof(ushort);
            if (size < 0)
                throw JpegReader.Unreadable("a segment's length makes no sense");
            at += sizeof(ushort);
            if (_file.Length - at < size)
                return false;
        }
        Data = _file.Slice(at, size);
        (At, Behind) = (at, at + size);
        return true;
    }
}
