using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Formats;

/// <summary>
/// The first picture of a TIFF, of 1 to 64 bands of whole numbers. A rectangle of it is read without the rest.
/// </summary>
internal sealed class TiffReader : IDisposable
{
    private const int MostBands = 64;

    /// <summary>What a strip or tile may take in any case.</summary>
    private const long LeastPart = 1 << 26;

    /// <summary>Bytes that a strip or tile may take, unpacked, for each pixel of the whole picture.</summary>
    private const int MostPartBytesPerPixel = 8;

    private readonly Tiff _tiff;
    private readonly bool _isTiled, _isSeparate;
    private readonly int _blockHeight, _blockWidth, _rowSize;
    private byte[] _block = [];
    private int _held = -1;

    /// <summary>Reads the header.</summary>
    /// <exception cref="ImageException">This is no TIFF that can be read, or it claims too many pixels.</exception>
    public TiffReader(FileBytes file, long maxPixels)
    {
        TiffDirectory.Check(file);
        _tiff = Guarded(() => Tiff.ClientOpen("a TIFF", "r", this, new TiffMemory(file)))
            ?? throw Unreadable("its header makes no sense");
        (Height, Width) = (Number(TiffTag.IMAGELENGTH, 0), Number(TiffTag.IMAGEWIDTH, 0));
        if (Height < 1 || Width < 1)
            throw Unreadable("its sides are impossible");
        PictureLimits.Check(Height, Width, maxPixels);
        (Bands, Depth) = (Number(TiffTag.SAMPLESPERPIXEL, 1), Number(TiffTag.BITSPERSAMPLE, 1));
        if (Bands is < 1 or > MostBands)
            throw Unreadable($"it has {Bands} bands");
        const int wholeNumbers = 1, anything = 4;
        if (Depth is not (1 or 2 or 4 or 8 or 16)
            || Number(TiffTag.SAMPLEFORMAT, wholeNumbers) is not (wholeNumbers or anything))
            throw Unreadable("its samples are no whole numbers of up to 16 bits");
        Colour = (Photometric)Number(TiffTag.PHOTOMETRIC, (int)(Bands < 3 ? Photometric.MINISBLACK : Photometric.RGB));
        if (Colour == Photometric.YCBCR && (Compression)Number(TiffTag.COMPRESSION, 1) == Compression.JPEG)
        {
            Guarded(() => _tiff.SetField(TiffTag.JPEGCOLORMODE, JpegColorMode.RGB));
            Colour = Photometric.RGB;
        }
        int orientation = Number(TiffTag.ORIENTATION, Turning.Upright);
        Orientation = orientation is >= 1 and <= 8 ? orientation : Turning.Upright;

        _isTiled = _tiff.IsTiled();
        _isSeparate = Bands > 1
            && Number(TiffTag.PLANARCONFIG, (int)PlanarConfig.CONTIG) == (int)PlanarConfig.SEPARATE;
        int perStrip = Number(TiffTag.ROWSPERSTRIP, Height);
        (_blockHeight, _blockWidth) = _isTiled
            ? (Number(TiffTag.TILELENGTH, 0), Number(TiffTag.TILEWIDTH, 0))
            : (perStrip < 1 ? Height : Math.Min(perStrip, Height), Width);
        if (_blockHeight < 1 || _blockWidth < 1)
            throw Unreadable("its tiles make no sense");
        PictureLimits.Check(_blockHeight, _blockWidth, Math.Max(maxPixels, 1 << 16));
        long rowSize = ((long)_blockWidth * (_isSeparate ? 1 : Bands) * Depth + 7) / 8;
        // Many bands are in narrow strips or in tiles.
        long part = rowSize * _blockHeight, most = Math.Max(LeastPart, (long)Height * Width * MostPartBytesPerPixel);
        if (part > Math.Min(most, Array.MaxLength) || (long)Width * Bands > Array.MaxLength)
            throw Unreadable($"a strip or tile of it takes {Math.Max(part, (long)Width * Bands) >> 20} MiB");
        _rowSize = (int)rowSize;
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>Samples of a pixel.</summary>
    public int Bands { get; }

    /// <summary>Bits of a sample.</summary>
    public int Depth { get; }

    /// <summary>What the bands mean.</summary>
    public Photometric Colour { get; }

    public int Orientation { get; }

    /// <summary>Rows that are best read at once.</summary>
    public int RowsAtOnce => _isTiled ? _blockHeight : Math.Min(_blockHeight, 64);

    /// <summary>Red, green and blue of each index, 16 bits each; null where the file has no palette.</summary>
    public ushort[][]? Palette
    {
        get
        {
            FieldValue[]? map = Guarded(() => _tiff.GetField(TiffTag.COLORMAP));
            ushort[][]? palette = map is { Length: 3 } ? [.. map.Select(one => one.ToUShortArray())] : null;
            return palette is not null && palette.All(one => one?.Length >= 1 << Depth) ? palette : null;
        }
    }

    public static bool IsTiff(ReadOnlySpan<byte> file) => file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8)
        || file.StartsWith("II+\0"u8) || file.StartsWith("MM\0+"u8);

    public static ImageException Unreadable(string reason) =>
        new($"the TIFF cannot be read ({reason}); save it with 8 or 16 bits per sample, grey, palette or RGB.");

    public void Dispose() => _tiff.Dispose();

    /// <summary>All bands of a rectangle, pixel by pixel.</summary>
    /// <param name="top">The rectangle's first row.</param>
    /// <param name="left">The rectangle's first column.</param>
    /// <param name="height">The rectangle's number of rows.</param>
    /// <param name="width">The rectangle's number of columns.</param>
    /// <param name="samples">Gets height * width * <see cref="Bands"/> numbers.</param>
    /// <exception cref="ImageException">That part of the file is cut off or damaged.</exception>
    public void ReadWindow(int top, int left, int height, int width, Span<ushort> samples)
    {
        int planes = _isSeparate ? Bands : 1;
        for (int plane = 0; plane < planes; plane++)
        {
            for (int y = top - top % _blockHeight; y < top + height; y += _blockHeight)
            {
                for (int x = left - left % _blockWidth; x < left + width; x += _blockWidth)
                {
                    Hold(y, x, plane);
                    Copy(y, x, plane, (top, left, height, width), samples);
                }
            }
        }
    }

    private static ImageException CutOff() => new("the TIFF ends early or is damaged; send the whole file.");

    /// <summary>Whatever LibTiff throws over a broken file is the file's fault.</summary>
    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return TiffMessages.Quietly(read);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ImageException))
        {
            throw new ImageException(CutOff().Message, e);
        }
    }

    private int Number(TiffTag tag, int missing)
    {
        FieldValue[]? value = Guarded(() => _tiff.GetField(tag));
        return value is { Length: > 0 } ? value[0].ToInt() : missing;
    }

    /// <summary>Unpacks the strip or tile at this place.</summary>
    private void Hold(int y, int x, int plane)
    {
        int number = Guarded(() => _isTiled
            ? _tiff.ComputeTile(x, y, 0, (short)plane)
            : _tiff.ComputeStrip(y, (short)plane));
        if (number == _held)
            return;
        _held = -1;
        int rows = _isTiled ? _blockHeight : Math.Min(_blockHeight, Height - y), size = rows * _rowSize;
        if (_block.Length == 0)
            _block = GC.AllocateUninitializedArray<byte>(_rowSize * _blockHeight);
        int read = Guarded(() => _isTiled
            ? _tiff.ReadEncodedTile(number, _block, 0, size)
            : _tiff.ReadEncodedStrip(number, _block, 0, size));
        if (read != size || TiffMessages.WasDamaged)
            throw CutOff();
        _held = number;
    }

    private void Copy(
        int y, int x, int plane, (int Top, int Left, int Height, int Width) window, Span<ushort> samples)
    {
        int top = Math.Max(y, window.Top), bottom = Math.Min(y + _blockHeight, window.Top + window.Height);
        int left = Math.Max(x, window.Left), right = Math.Min(x + _blockWidth, window.Left + window.Width);
        int inBlock = _isSeparate ? 1 : Bands, step = Bands / inBlock;
        for (int row = top; row < bottom; row++)
        {
            ReadOnlySpan<byte> from = _block.AsSpan((row - y) * _rowSize, _rowSize);
            int to = ((row - window.Top) * window.Width + left - window.Left) * Bands + plane;
            for (int i = (left - x) * inBlock; i < (right - x) * inBlock; i++, to += step)
                samples[to] = (ushort)Sample(from, i);
        }
    }

    private int Sample(ReadOnlySpan<byte> row, int i)
    {
        if (Depth == 8)
            return row[i];
        // LibTiff has them in this machine's order.
        if (Depth == 16)
            return BitConverter.ToUInt16(row[(2 * i)..]);
        int perByte = 8 / Depth;
        return (row[i / perByte] >> (8 - Depth - i % perByte * Depth)) & ((1 << Depth) - 1);
    }
}
