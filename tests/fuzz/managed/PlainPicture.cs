using System.Buffers.Binary;
using System.IO.Compression;
using Atrous.Imaging;

namespace Atrous.Fuzz;

/// <summary>
/// What a picture must be, by decoders that do only what is plain: PNGs of 8 bits, and how a JPEG is turned. Of what is
/// not plain they say nothing.
/// </summary>
internal static class PlainPicture
{
    /// <summary>A plain decoder is slow, and a fuzzer's pictures are small.</summary>
    private const long MostPixels = 1 << 16;

    private const ushort Orientation = 0x0112;

    /// <summary>Says where a picture is another than the file says.</summary>
    public static void Judge(byte[] file, Image photo)
    {
        if ((long)photo.Height * photo.Width > MostPixels)
            return;
        if (OfPng(file) is { } png && !png.AsSpan().SequenceEqual(photo.Pixels))
            throw new InvalidOperationException("a plain decoder makes other pixels of the PNG");
        if (WithoutExif(file) is not { } upright)
            return;
        using Image stored = Image.Load(upright.File, MostPixels);
        byte[] pixels = photo.Pixels.ToArray();
        int[] allowed = upright.Orientation is { } one ? [one] : [1, 2, 3, 4, 5, 6, 7, 8];
        if (!allowed.Any(turn => Turned(stored, turn).AsSpan().SequenceEqual(pixels)))
            throw new InvalidOperationException($"the JPEG is not turned by {string.Join(", ", allowed)}");
    }

    /// <summary>The pixels of a PNG of 8 bits a channel without oddities; null for others.</summary>
    private static byte[]? OfPng(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith<byte>([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
            return null;
        var packed = new MemoryStream();
        int at = 8, height = 0, width = 0, channels = 0;
        while (file.Length - at >= 12)
        {
            uint size = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            ReadOnlySpan<byte> kind = file.Slice(at + 4, 4);
            if (size > file.Length - at - 12 || (at == 8) != kind.SequenceEqual("IHDR"u8))
                return null;
            ReadOnlySpan<byte> data = file.Slice(at + 8, (int)size);
            at += 12 + (int)size;
            if (kind.SequenceEqual("IEND"u8))
                break;
            if (kind.SequenceEqual("IDAT"u8))
            {
                packed.Write(data);
                continue;
            }
            if (!kind.SequenceEqual("IHDR"u8))
                return null;
            if (size != 13 || data[8] != 8 || data[9] is not (0 or 2 or 4 or 6) || data[12] != 0)
                return null;
            width = BinaryPrimitives.ReadInt32BigEndian(data);
            height = BinaryPrimitives.ReadInt32BigEndian(data[4..]);
            channels = data[9] switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        }
        if (width <= 0 || height <= 0 || (long)width * height > MostPixels)
            return null;
        int row = width * channels;
        var rows = new byte[height * (row + 1)];
        try
        {
            packed.Position = 0;
            using var unpacked = new ZLibStream(packed, CompressionMode.Decompress);
            unpacked.ReadExactly(rows);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return null;
        }
        return Unfiltered(rows, height, row, channels);
    }

    private static byte[]? Unfiltered(byte[] rows, int height, int row, int step)
    {
        var pixels = new byte[height * row];
        for (int y = 0; y < height; y++)
        {
            int filter = rows[y * (row + 1)];
            for (int x = 0; x < row; x++)
            {
                int left = x >= step ? pixels[y * row + x - step] : 0, above = y > 0 ? pixels[(y - 1) * row + x] : 0;
                int corner = x >= step && y > 0 ? pixels[(y - 1) * row + x - step] : 0;
                int guess = left + above - corner;
                int toLeft = Math.Abs(guess - left), toAbove = Math.Abs(guess - above);
                int paeth = toLeft <= toAbove && toLeft <= Math.Abs(guess - corner) ? left
                    : toAbove <= Math.Abs(guess - corner) ? above : corner;
                int? added = filter switch
                {
                    0 => 0,
                    1 => left,
                    2 => above,
                    3 => (left + above) / 2,
                    4 => paeth,
                    _ => null,
                };
                if (added is null)
                    return null;
                pixels[y * row + x] = (byte)(rows[y * (row + 1) + 1 + x] + added);
            }
        }
        return pixels;
    }

    /// <summary>
    /// A JPEG as it is stored, and how it is to be turned: null where its EXIF is not plain. Null for other files.
    /// </summary>
    private static (byte[] File, int? Orientation)? WithoutExif(byte[] file)
    {
        if (!file.AsSpan().StartsWith<byte>([0xFF, 0xD8, 0xFF]))
            return null;
        var left = new MemoryStream();
        left.Write(file, 0, 2);
        int at = 2, blocks = 0;
        int? turn = 1;
        while (file.Length - at >= 4 && file[at] == 0xFF && file[at + 1] is >= 0xC0 and not (>= 0xD0 and <= 0xDA))
        {
            int size = BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2)) + 2;
            if (size < 4 || size > file.Length - at)
                return null;
            if (file[at + 1] != 0xE1)
                left.Write(file, at, size);
            else if (blocks++ == 0)
                turn = PlainOrientation(file.AsSpan(at + 4, size - 4));
            else
                turn = null;
            at += size;
        }
        if (file.Length - at < 2 || file[at] != 0xFF || file[at + 1] != 0xDA)
            return null;
        left.Write(file, at, file.Length - at);
        return (left.ToArray(), turn);
    }

    private static int? PlainOrientation(ReadOnlySpan<byte> segment)
    {
        if (!segment.StartsWith("Exif\0\0II*\0\x08\0\0\0"u8) || segment.Length < 16)
            return null;
        ReadOnlySpan<byte> entries = segment[16..];
        int count = BinaryPrimitives.ReadUInt16LittleEndian(segment[14..]);
        if (count * 12 > entries.Length)
            return null;
        int? found = null;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = entries.Slice(i * 12, 12);
            if (BinaryPrimitives.ReadUInt16LittleEndian(entry) != Orientation)
                continue;
            int value = BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]);
            bool plain = entry[2..8].SequenceEqual<byte>([3, 0, 1, 0, 0, 0]) && value is >= 1 and <= 8;
            if (found is not null || !plain)
                return null;
            found = value;
        }
        return found ?? 1;
    }

    private static byte[] Turned(Image stored, int turn)
    {
        (int height, int width, int channels) = (stored.Height, stored.Width, stored.Channels);
        (int rows, int columns) = turn > 4 ? (width, height) : (height, width);
        ReadOnlySpan<byte> from = stored.Pixels;
        var to = new byte[from.Length];
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < columns; x++)
            {
                (int fromY, int fromX) = turn switch
                {
                    2 => (y, width - 1 - x),
                    3 => (height - 1 - y, width - 1 - x),
                    4 => (height - 1 - y, x),
                    5 => (x, y),
                    6 => (height - 1 - x, y),
                    7 => (height - 1 - x, width - 1 - y),
                    8 => (x, width - 1 - y),
                    _ => (y, x),
                };
                ReadOnlySpan<byte> pixel = from.Slice((fromY * width + fromX) * channels, channels);
                pixel.CopyTo(to.AsSpan((y * columns + x) * channels));
            }
        }
        return to;
    }
}
