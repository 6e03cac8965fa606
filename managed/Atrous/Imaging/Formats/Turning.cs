using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Atrous.Imaging.Formats;

/// <summary>The EXIF orientation of a photo, 1 to 8 (EXIF 2.32, tag 0x0112), and the turn that it asks for.</summary>
internal static class Turning
{
    public const int Upright = 1;

    private const ushort OrientationTag = 0x0112;

    /// <summary>True for the four orientations that lay the picture on its side.</summary>
    public static bool SwapsSides(int orientation) => orientation >= 5;

    /// <summary>
    /// The orientation that an EXIF block states, with or without the "Exif\0\0" with which a JPEG's begins. It is 1
    /// where the block is none, truncated or nonsense: a broken annotation is no reason to refuse a sound picture.
    /// </summary>
    public static int OfExif(ReadOnlySpan<byte> exif)
    {
        ReadOnlySpan<byte> signature = "Exif\0\0"u8;
        return OfTiff(exif.StartsWith(signature) ? exif[signature.Length..] : exif);
    }

    /// <summary>A new picture as it is meant to be seen; the given one is disposed unless it is that already.</summary>
    public static Image Apply(Image stored, int orientation)
    {
        if (orientation == Upright)
            return stored;
        using (stored)
            return Turned(stored, orientation);
    }

    /// <summary>
    /// Packed pixels of a stored picture to where they are seen: 2 mirrored, 3 turned by half, 4 upside down, 5
    /// transposed, 6 to be turned clockwise, 7 transposed the other way, 8 to be turned anticlockwise.
    /// </summary>
    public static void Turn<T>(
        ReadOnlySpan<T> stored, int height, int width, int channels, int orientation, Span<T> seen)
    {
        bool sideways = SwapsSides(orientation);
        bool fromRight = orientation is 2 or 3 or 7 or 8, fromBottom = orientation is 3 or 4 or 6 or 7;
        int row = width * channels;
        int origin = (fromRight ? row - channels : 0) + (fromBottom ? (height - 1) * row : 0);
        int alongX = fromRight ? -channels : channels, alongY = fromBottom ? -row : row;
        (int stepY, int stepX) = sideways ? (alongX, alongY) : (alongY, alongX);
        (int rows, int columns) = sideways ? (width, height) : (height, width);
        // Square tiles keep both the rows that are read and the rows that are written in the cache.
        const int tile = 64;
        for (int top = 0; top < rows; top += tile)
        {
            for (int left = 0; left < columns; left += tile)
            {
                int bottom = Math.Min(top + tile, rows), right = Math.Min(left + tile, columns);
                for (int y = top; y < bottom; y++)
                {
                    int from = origin + y * stepY + left * stepX, to = (y * columns + left) * channels;
                    for (int x = left; x < right; x++, from += stepX, to += channels)
                        CopyPixel(stored, from, seen, to, channels);
                }
            }
        }
    }

    private static Image Turned(Image stored, int orientation)
    {
        bool sideways = SwapsSides(orientation);
        var result = new Image(
            sideways ? stored.Width : stored.Height, sideways ? stored.Height : stored.Width, stored.Channels);
        Turn(stored.Pixels, stored.Height, stored.Width, stored.Channels, orientation, result.Pixels);
        result.Lower = stored.Lower is { } lower ? Turned(lower, orientation) : null;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyPixel<T>(ReadOnlySpan<T> from, int source, Span<T> to, int target, int channels)
    {
        for (int c = 0; c < channels; c++)
            to[target + c] = from[source + c];
    }

    private static int OfTiff(ReadOnlySpan<byte> tiff)
    {
        const int header = 8, entrySize = 12;
        if (tiff.Length < header)
            return Upright;
        bool bigEndian = tiff[0] == 'M';
        if (!tiff.StartsWith(bigEndian ? "MM\0*"u8 : "II*\0"u8))
            return Upright;
        uint directory = Int(tiff, 4, bigEndian);
        if (directory > tiff.Length - 2 || directory < header)
            return Upright;
        int entries = Short(tiff, (int)directory, bigEndian);
        for (int i = 0; i < entries; i++)
        {
            long entry = directory + 2L + (long)i * entrySize;
            if (entry + entrySize > tiff.Length)
                break;
            ReadOnlySpan<byte> field = tiff.Slice((int)entry, entrySize);
            if (Short(field, 0, bigEndian) == OrientationTag)
                return OfField(field, bigEndian);
        }
        return Upright;
    }

    /// <summary>A short by the standard; cameras and programs also write it as a long, or with a sign.</summary>
    private static int OfField(ReadOnlySpan<byte> field, bool bigEndian)
    {
        const int typeShort = 3, typeLong = 4, typeSignedShort = 8, typeSignedLong = 9;
        int type = Short(field, 2, bigEndian);
        bool isLong = type is typeLong or typeSignedLong;
        uint value = isLong ? Int(field, 8, bigEndian) : Short(field, 8, bigEndian);
        bool whole = isLong || type is typeShort or typeSignedShort;
        return whole && Int(field, 4, bigEndian) == 1 && value is >= 1 and <= 8 ? (int)value : Upright;
    }

    private static ushort Short(ReadOnlySpan<byte> bytes, int at, bool bigEndian) => bigEndian
        ? BinaryPrimitives.ReadUInt16BigEndian(bytes[at..])
        : BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint Int(ReadOnlySpan<byte> bytes, int at, bool bigEndian) => bigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(bytes[at..])
        : BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
