using System.Buffers.Binary;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Formats;

/// <summary>
/// Whether a directory of a TIFF can be true of a file of its size. LibTiff makes room for all that it claims before it
/// looks for it: a gigabyte for two hundred bytes that claim so many strips. And where the mask of the picture is.
/// </summary>
internal readonly struct TiffDirectory
{
    private const int
        WidthTag = 256, HeightTag = 257, BandsTag = 277, RowsPerStripTag = 278, PlanesTag = 284, TileWidthTag = 322,
        TileHeightTag = 323, DepthTag = 32997, KindTag = 254;

    /// <summary>The kind of a mask; one of a smaller copy has the bit of those as well.</summary>
    private const int Mask = 4;

    /// <summary>A picture has some copies of half the size each, and masks of theirs.</summary>
    private const int MostDirectories = 64, MostEntries = 1024;

    private readonly TiffStream _file;
    private readonly long _length;
    private readonly bool _isBigEndian, _isBig;

    private TiffDirectory(TiffStream file)
    {
        (_file, _length) = (file, file.Size(file));
        _isBigEndian = Slice(0, 1)[0] == 'M';
        _isBig = Slice(0, 4).Contains((byte)'+');
    }

    /// <summary>What ends early or makes no sense is left for LibTiff to refuse.</summary>
    /// <exception cref="ImageException">It claims more than the file can hold.</exception>
    public static void Check(TiffStream file)
    {
        if (file.Size(file) >= 16)
        {
            var directory = new TiffDirectory(file);
            directory.Check(directory.First);
        }
        file.Seek(file, 0, SeekOrigin.Begin);
    }

    /// <summary>
    /// The place of the directory of the first picture's mask, as GDAL writes it: of the same sides, and no smaller
    /// copy's; null where there is none.
    /// </summary>
    /// <exception cref="ImageException">It claims more than the file can hold.</exception>
    public static long? MaskOf(TiffStream file)
    {
        var directory = new TiffDirectory(file);
        var seen = new HashSet<long>();
        (long Width, long Height)? picture = null;
        for (long at = directory.First; directory.Holds(at) && seen.Add(at) && seen.Count <= MostDirectories;)
        {
            var numbers = new Dictionary<int, long>();
            long next = directory.Numbers(at, numbers);
            var sides = (numbers.GetValueOrDefault(WidthTag), numbers.GetValueOrDefault(HeightTag));
            if (picture is not null && numbers.GetValueOrDefault(KindTag) == Mask && sides == picture)
            {
                directory.Check(at);
                return at;
            }
            picture ??= sides;
            at = next;
        }
        return null;
    }

    private long First => _isBig ? Long(8) : UInt(4);

    private int CountSize => _isBig ? 8 : 2;

    private int EntrySize => _isBig ? 20 : 12;

    private bool Holds(long at) => at >= 8 && at <= _length - CountSize;

    /// <summary>The sides and the kind, and where the next directory is; 0 for nowhere that makes sense.</summary>
    private long Numbers(long at, Dictionary<int, long> numbers)
    {
        long entries = _isBig ? Long(at) : UShort(at), end = at + CountSize + entries * EntrySize;
        if (entries is < 0 or > MostEntries || end > _length - (_isBig ? 8 : 4))
            return 0;
        for (long entry = at + CountSize; entry < end; entry += EntrySize)
        {
            int tag = UShort(entry), type = UShort(entry + 2);
            long value = entry + (_isBig ? 12 : 8);
            if (tag is KindTag or WidthTag or HeightTag && NumberAt(type, value) is { } number)
                numbers[tag] = number;
        }
        return _isBig ? Long(end) : UInt(end);
    }

    /// <summary>The number of an entry; null where its type is of no whole ones.</summary>
    private long? NumberAt(int type, long at) => type switch
    {
        1 or 6 => Slice(at, 1)[0],
        3 or 8 => UShort(at),
        4 or 9 => UInt(at),
        16 or 17 => Long(at),
        _ => null,
    };

    private byte[] Slice(long at, int count)
    {
        byte[] bytes = new byte[count];
        _file.Seek(_file, at, SeekOrigin.Begin);
        return _file.Read(_file, bytes, 0, count) == count ? bytes : throw Refused();
    }

    private void Check(long at)
    {
        if (!Holds(at))
            return;
        long entries = _isBig ? Long(at) : UShort(at);
        var numbers = new Dictionary<int, long>();
        for (at += CountSize; entries > 0 && at <= _length - EntrySize; entries--, at += EntrySize)
            CheckEntry(at, numbers);

        // Each strip or tile has at least two bytes of its own in the file, its place.
        if (Blocks(numbers) > _length || numbers.GetValueOrDefault(DepthTag) > 1)
            throw Refused();
    }

    private void CheckEntry(long at, Dictionary<int, long> numbers)
    {
        int tag = UShort(at), type = UShort(at + 2);
        long count = _isBig ? Long(at + 4) : UInt(at + 4), valueAt = at + (_isBig ? 12 : 8);
        int size = SizeOf(type);
        if (count < 0 || count > _length / size)
            throw Refused();
        if (tag is not (WidthTag or HeightTag or BandsTag or RowsPerStripTag or PlanesTag or TileWidthTag
            or TileHeightTag or DepthTag) || count == 0)
        {
            return;
        }
        // Of more numbers than one LibTiff takes the first, or what would be their place.
        if (count > 1)
            throw TiffReader.Unreadable("a side of it is more than one number");
        long number = NumberAt(type, valueAt) ?? throw TiffReader.Unreadable("a side of it is no whole number");
        // Of two entries, which one is believed is LibTiff's affair.
        if (!numbers.TryAdd(tag, number) && numbers[tag] != number)
            throw TiffReader.Unreadable("its directory contradicts itself");
    }

    /// <summary>Strips or tiles; the largest number there is where there would be more.</summary>
    private static long Blocks(Dictionary<int, long> numbers)
    {
        long height = numbers.GetValueOrDefault(HeightTag), width = numbers.GetValueOrDefault(WidthTag);
        long bands = numbers.GetValueOrDefault(PlanesTag) == 2 ? numbers.GetValueOrDefault(BandsTag, 1) : 1;
        UInt128 rows, columns = 1;
        if (numbers.TryGetValue(TileWidthTag, out long tileWidth)
            | numbers.TryGetValue(TileHeightTag, out long tileHeight))
        {
            (rows, columns) = (Parts(height, tileHeight), Parts(width, tileWidth));
        }
        else
        {
            rows = Parts(height, numbers.GetValueOrDefault(RowsPerStripTag, height));
        }
        UInt128 blocks = rows * columns * (UInt128)Math.Max(1, bands);
        return blocks > long.MaxValue ? long.MaxValue : (long)blocks;
    }

    private static UInt128 Parts(long whole, long part) =>
        part < 1 || whole < 1 ? 1 : (UInt128)((whole - 1) / part + 1);

    private static int SizeOf(int type) => type switch
    {
        3 or 8 => 2,
        4 or 9 or 11 or 13 => 4,
        5 or 10 or 12 or 16 or 17 or 18 => 8,
        _ => 1,
    };

    private static ImageException Refused() => TiffReader.Unreadable("its directory claims more than the file holds");

    private int UShort(long at) => _isBigEndian
        ? BinaryPrimitives.ReadUInt16BigEndian(Slice(at, 2))
        : BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));

    private long UInt(long at) => _isBigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(Slice(at, 4))
        : BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));

    private long Long(long at) => _isBigEndian
        ? BinaryPrimitives.ReadInt64BigEndian(Slice(at, 8))
        : BinaryPrimitives.ReadInt64LittleEndian(Slice(at, 8));
}
