using System.Buffers.Binary;
using System.Text;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>One record of a zip file, as its central directory describes it.</summary>
internal sealed record ZipRecord(
    string Name, bool IsEncrypted, int Method, long PackedSize, long Size, long HeaderOffset)
{
    public const int Stored = 0;
    public const int Deflated = 8;
}

/// <summary>
/// The central directory of a zip file, zip64 included. Trusts nothing: all offsets, sizes and counts must agree with
/// each other and with the file. See https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
/// </summary>
internal sealed class ZipDirectory
{
    private const int EndBytes = 22;
    private const int LocatorBytes = 20;
    private const int End64Bytes = 56;
    private const int EntryBytes = 46;
    private const int LocalBytes = 30;
    private const int MaxCommentBytes = ushort.MaxValue;
    private const long MaxDirectoryBytes = 32 << 20;

    /// <summary>In memory, roughly.</summary>
    private const int BytesOfRecord = 200;

    private readonly CheckpointFile _file;
    private readonly long _start;

    public ZipDirectory(CheckpointFile file)
    {
        _file = file;
        (long count, long size, _start) = ReadEnd();
        if (size > MaxDirectoryBytes)
            throw Broken("its directory is larger than 32 MiB");
        byte[] directory = new FileRegion(file, _start, size).ToArray();
        int position = 0;
        for (long i = 0; i < count; i++)
        {
            ZipRecord record = ReadEntry(directory, ref position);
            file.Budget.Hold(BytesOfRecord + 2 * record.Name.Length);
            if (!Records.TryAdd(record.Name, record))
                throw Broken($"it has two records called {Printable.Quote(record.Name)}");
        }
        if (position != directory.Length)
            throw Broken("its directory has more records than it says");
    }

    public OrderedDictionary<string, ZipRecord> Records { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the record's bytes lie, packed if it is packed.</summary>
    public FileRegion Locate(ZipRecord record)
    {
        if (record.HeaderOffset > _start - LocalBytes)
            throw Broken($"the record {Printable.Quote(record.Name)} lies outside");
        Span<byte> header = stackalloc byte[LocalBytes];
        _file.Read(record.HeaderOffset, header);
        if (!header.StartsWith("PK\x03\x04"u8) || UInt16(header, 8) != record.Method)
            throw Broken($"the record {Printable.Quote(record.Name)} is not where the directory says");
        long data = record.HeaderOffset + LocalBytes + UInt16(header, 26) + UInt16(header, 28);
        if (record.IsEncrypted)
            throw Broken($"the record {Printable.Quote(record.Name)} is encrypted");
        if (data > _start - record.PackedSize)
            throw Broken($"the record {Printable.Quote(record.Name)} reaches beyond the data");
        if (record.Method == ZipRecord.Stored && record.PackedSize != record.Size)
            throw Broken($"the record {Printable.Quote(record.Name)} has two different sizes");
        return new FileRegion(_file, data, record.PackedSize);
    }

    private (long Count, long Size, long Start) ReadEnd()
    {
        int tailLength = (int)Math.Min(_file.Length, EndBytes + MaxCommentBytes);
        var tail = new byte[tailLength];
        _file.Read(_file.Length - tailLength, tail);
        for (int at = tailLength - EndBytes; at >= 0; at--)
        {
            ReadOnlySpan<byte> end = tail.AsSpan(at);
            if (!end.StartsWith("PK\x05\x06"u8) || UInt16(end, 20) != end.Length - EndBytes)
                continue;
            long position = _file.Length - tailLength + at;
            (long count, long size, long start) = (UInt16(end, 10), UInt32(end, 12), UInt32(end, 16));
            if (count == ushort.MaxValue || size == uint.MaxValue || start == uint.MaxValue)
                (count, size, start, position) = ReadEnd64(position);
            // PyTorch always writes a zip64 end in between.
            if (size > position || start > position - size)
                throw Broken("its directory is not where its end says");
            return (count, size, start);
        }
        throw _file.Error("is a truncated zip file: its directory at the end is missing; copy or download it again");
    }

    private (long Count, long Size, long Start, long Position) ReadEnd64(long end)
    {
        if (end < LocatorBytes + End64Bytes)
            throw Broken("its zip64 end is missing");
        Span<byte> locator = stackalloc byte[LocatorBytes];
        _file.Read(end - LocatorBytes, locator);
        ulong position = BinaryPrimitives.ReadUInt64LittleEndian(locator[8..]);
        if (!locator.StartsWith("PK\x06\x07"u8) || position > (ulong)(end - LocatorBytes - End64Bytes))
            throw Broken("its zip64 end is missing");
        Span<byte> end64 = stackalloc byte[End64Bytes];
        _file.Read((long)position, end64);
        if (!end64.StartsWith("PK\x06\x06"u8))
            throw Broken("its zip64 end is missing");
        return (Int64(end64, 32), Int64(end64, 40), Int64(end64, 48), (long)position);
    }

    private ZipRecord ReadEntry(byte[] directory, ref int position)
    {
        ReadOnlySpan<byte> entry = directory.AsSpan(position);
        if (entry.Length < EntryBytes || !entry.StartsWith("PK\x01\x02"u8))
            throw Broken("its directory has fewer records than it says");
        int nameLength = UInt16(entry, 28);
        int extraLength = UInt16(entry, 30);
        int total = EntryBytes + nameLength + extraLength + UInt16(entry, 32);
        if (total > entry.Length)
            throw Broken("its directory is cut off");
        position += total;

        long packed = UInt32(entry, 20);
        long size = UInt32(entry, 24);
        long header = UInt32(entry, 42);
        ReadOnlySpan<byte> extra = entry.Slice(EntryBytes + nameLength, extraLength);
        ReadOnlySpan<byte> zip64 = FindZip64(extra);
        // Only the fields that do not fit are there, in this order.
        size = Widen(size, ref zip64);
        packed = Widen(packed, ref zip64);
        header = Widen(header, ref zip64);
        string name = Encoding.Latin1.GetString(entry.Slice(EntryBytes, nameLength));
        bool encrypted = (UInt16(entry, 8) & 1) != 0;
        return new ZipRecord(name, encrypted, UInt16(entry, 10), packed, size, header);
    }

    private static ReadOnlySpan<byte> FindZip64(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int length = Math.Min(UInt16(extra, 2), extra.Length - 4);
            if (UInt16(extra, 0) == 1)
                return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return [];
    }

    private long Widen(long value, ref ReadOnlySpan<byte> zip64)
    {
        if (value != uint.MaxValue)
            return value;
        if (zip64.Length < 8)
            throw Broken("a record lacks its zip64 sizes");
        long wide = Int64(zip64, 0);
        zip64 = zip64[8..];
        return wide;
    }

    private long Int64(ReadOnlySpan<byte> bytes, int offset)
    {
        long value = BinaryPrimitives.ReadInt64LittleEndian(bytes[offset..]);
        return value >= 0 ? value : throw Broken("it has an absurd size or offset");
    }

    private static int UInt16(ReadOnlySpan<byte> bytes, int offset) =>
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private static long UInt32(ReadOnlySpan<byte> bytes, int offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private ModelException Broken(string problem) => _file.Error($"is a broken zip file: {problem}");
}
