using System.Globalization;
using System.Runtime.InteropServices;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Formats;

/// <summary>
/// The first picture of a TIFF, or its mask, of 1 to 64 bands of whole numbers, or of floats where those are asked
/// for. A rectangle of it is read without the rest.
/// </summary>
internal sealed class TiffReader : IDisposable
{
    private const int MostBands = 64;

    /// <summary>What a strip or tile may take in any case.</summary>
    private const long LeastPart = 1 << 26;

    /// <summary>Bytes that a strip or tile may take, unpacked, for each pixel of the whole picture.</summary>
    private const int MostPartBytesPerPixel = 8;

    private readonly Tiff _tiff;
    private readonly TiffOnStream? _stream;
    private readonly long _fileSize;
    private readonly bool _isTiled;
    private byte[]? _block;
    private Array? _sizes;
    private int _held = -1;

    /// <summary>Reads the header.</summary>
    /// <exception cref="ImageException">This is no TIFF that can be read, or it claims too many pixels.</exception>
    public TiffReader(FileBytes file, long maxPixels)
        : this(new TiffMemory(file), maxPixels, allowsAnyNumber: false)
    {
    }

    /// <param name="file">What the bytes of the file are read from.</param>
    /// <param name="maxPixels">How many pixels the header may claim.</param>
    /// <param name="allowsAnyNumber">Samples may be signed or floats, of which <see cref="ReadBlock"/> reads.</param>
    /// <param name="directory">Where the directory is, which was checked; null for the file's first.</param>
    /// <inheritdoc cref="TiffReader(FileBytes, long)" path="/exception"/>
    public TiffReader(TiffStream file, long maxPixels, bool allowsAnyNumber, long? directory = null)
    {
        TiffDirectory.Check(file);
        _fileSize = file.Size(file);
        _stream = file as TiffOnStream;
        _tiff = Guarded(() => Tiff.ClientOpen("a TIFF", "r", this, file))
            ?? throw Unreadable("its header makes no sense");
        if (directory is { } place && !Guarded(() => _tiff.SetSubDirectory(place)))
            throw Unreadable("its mask makes no sense");
        (Height, Width) = (Number(TiffTag.IMAGELENGTH, 0), Number(TiffTag.IMAGEWIDTH, 0));
        if (Height < 1 || Width < 1)
            throw Unreadable("its sides are impossible");
        PictureLimits.Check(Height, Width, maxPixels);
        (Bands, Depth) = (Number(TiffTag.SAMPLESPERPIXEL, 1), Number(TiffTag.BITSPERSAMPLE, 1));
        if (Bands is < 1 or > MostBands)
            throw Unreadable($"it has {Bands} bands");
        const int wholeNumbers = 1, signed = 2, floats = 3, anything = 4;
        int numbers = Number(TiffTag.SAMPLEFORMAT, wholeNumbers);
        (IsSigned, IsFloat) = (numbers == signed, numbers == floats);
        if (!(allowsAnyNumber && (IsFloat && Depth == 32 || IsSigned && Depth == 16))
            && (Depth is not (1 or 2 or 4 or 8 or 16) || numbers is not (wholeNumbers or anything)))
        {
            throw Unreadable(allowsAnyNumber
                ? "its samples are neither whole numbers of up to 16 bits nor floats of 32"
                : "its samples are no whole numbers of up to 16 bits");
        }
        Colour = (Photometric)Number(TiffTag.PHOTOMETRIC, (int)(Bands < 3 ? Photometric.MINISBLACK : Photometric.RGB));
        if (Colour == Photometric.YCBCR && (Compression)Number(TiffTag.COMPRESSION, 1) == Compression.JPEG)
        {
            Guarded(() => _tiff.SetField(TiffTag.JPEGCOLORMODE, JpegColorMode.RGB));
            Colour = Photometric.RGB;
        }
        int orientation = Number(TiffTag.ORIENTATION, Turning.Upright);
        Orientation = orientation is >= 1 and <= 8 ? orientation : Turning.Upright;

        _isTiled = _tiff.IsTiled();
        IsSeparate = Bands > 1
            && Number(TiffTag.PLANARCONFIG, (int)PlanarConfig.CONTIG) == (int)PlanarConfig.SEPARATE;
        int perStrip = Number(TiffTag.ROWSPERSTRIP, Height);
        (BlockHeight, BlockWidth) = _isTiled
            ? (Number(TiffTag.TILELENGTH, 0), Number(TiffTag.TILEWIDTH, 0))
            : (perStrip < 1 ? Height : Math.Min(perStrip, Height), Width);
        if (BlockHeight < 1 || BlockWidth < 1)
            throw Unreadable("its tiles make no sense");
        PictureLimits.Check(BlockHeight, BlockWidth, Math.Max(maxPixels, 1 << 16));
        long rowSize = ((long)BlockWidth * (IsSeparate ? 1 : Bands) * Depth + 7) / 8;
        // Many bands are in narrow strips or in tiles.
        long part = rowSize * BlockHeight, most = Math.Max(LeastPart, (long)Height * Width * MostPartBytesPerPixel);
        if (part > Math.Min(most, Array.MaxLength) || (long)Width * Bands > Array.MaxLength)
            throw Unreadable($"a strip or tile of it takes {Math.Max(part, (long)Width * Bands) >> 20} MiB");
        RowSize = (int)rowSize;
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

    /// <summary>The number of pixels that the file leaves out, strips or tiles of no bytes; null for 0.</summary>
    public double? Missing { get; set; }

    /// <summary>Samples are whole numbers with a sign.</summary>
    public bool IsSigned { get; }

    /// <summary>Samples are floats.</summary>
    public bool IsFloat { get; }

    /// <summary>Each band lies in strips or tiles of its own.</summary>
    public bool IsSeparate { get; }

    /// <summary>Rows of a strip or tile.</summary>
    public int BlockHeight { get; }

    /// <summary>Columns of a strip or tile.</summary>
    public int BlockWidth { get; }

    /// <summary>Bytes of a row of a strip or tile.</summary>
    public int RowSize { get; }

    /// <summary>The band whose 0 means that a pixel is empty; null where no band is one.</summary>
    public int? AlphaBand
    {
        get
        {
            FieldValue[]? extra = Guarded(() => _tiff.GetField(TiffTag.EXTRASAMPLES));
            short[] kinds = extra is { Length: 2 } ? extra[1].ToShortArray() ?? [] : [];
            int alpha = Array.FindIndex(kinds, kind => (ExtraSample)kind is ExtraSample.ASSOCALPHA
                or ExtraSample.UNASSALPHA);
            return alpha >= 0 && kinds.Length < Bands ? Bands - kinds.Length + alpha : null;
        }
    }

    /// <summary>Rows that are best read at once.</summary>
    public int RowsAtOnce => _isTiled ? BlockHeight : Math.Min(BlockHeight, 64);

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

    /// <summary>What the file says of itself; null for nothing.</summary>
    public string? Description => Guarded(() => _tiff.GetField(TiffTag.IMAGEDESCRIPTION)) is { Length: > 0 } text
        ? Guarded(text[0].ToString)
        : null;

    /// <summary>The bytes of a tag that LibTiff does not know, and how many values they are; null without.</summary>
    public (int Count, byte[] Bytes)? TagBytes(int tag)
    {
        FieldValue[]? field = Guarded(() => _tiff.GetField((TiffTag)tag));
        return field is { Length: 2 } && Guarded(field[1].GetBytes) is { } bytes ? (field[0].ToInt(), bytes) : null;
    }

    /// <summary>Unpacks the strip or tile in which a place lies.</summary>
    /// <param name="y">The row of the place in the picture.</param>
    /// <param name="x">The column of the place in the picture.</param>
    /// <param name="plane">The band, where <see cref="IsSeparate"/>; 0 otherwise.</param>
    /// <param name="block">Gets BlockHeight * RowSize bytes, of the last strip those that there are.</param>
    /// <exception cref="ImageException">That part of the file is cut off or damaged.</exception>
    public void ReadBlock(int y, int x, int plane, byte[] block)
    {
        int number = NumberOf(y, x, plane);
        if (IsLeftOut(number))
        {
            FillMissing(block.AsSpan(0, BlockHeight * RowSize));
            return;
        }
        // LibTiff makes room for what the file claims that it is packed.
        if (Guarded(() => (long)_tiff.RawStripSize(number)) is var packed && (packed < 0 || packed > _fileSize))
            throw CutOff();
        int rows = _isTiled ? BlockHeight : Math.Min(BlockHeight, Height - y), size = rows * RowSize;
        int read = Guarded(() => _isTiled
            ? _tiff.ReadEncodedTile(number, block, 0, size)
            : _tiff.ReadEncodedStrip(number, block, 0, size));
        if (read != size || TiffMessages.WasDamaged)
            throw CutOff();
    }

    private bool IsLeftOut(int number)
    {
        _sizes ??= Guarded(() => _tiff.GetField(_isTiled ? TiffTag.TILEBYTECOUNTS : TiffTag.STRIPBYTECOUNTS))
            is { Length: > 0 } sizes ? sizes[0].Value as Array ?? Array.Empty<long>() : Array.Empty<long>();
        // A double takes whatever a damaged file has here, 64 bits without a sign among it.
        return number < _sizes.Length && Convert.ToDouble(_sizes.GetValue(number), CultureInfo.InvariantCulture) == 0;
    }

    private void FillMissing(Span<byte> block)
    {
        double value = Missing ?? 0;
        if (IsFloat)
            MemoryMarshal.Cast<byte, float>(block).Fill((float)value);
        else if (Depth == 16 && IsSigned)
            MemoryMarshal.Cast<byte, short>(block).Fill(short.CreateSaturating(value));
        else if (Depth == 16)
            MemoryMarshal.Cast<byte, ushort>(block).Fill(ushort.CreateSaturating(value));
        else
            block.Fill((byte)((int)Math.Clamp(value, 0, (1 << Depth) - 1) * (byte.MaxValue / ((1 << Depth) - 1))));
    }

    /// <summary>The number of a strip or tile.</summary>
    public int NumberOf(int y, int x, int plane) => Guarded(() => _isTiled
        ? _tiff.ComputeTile(x, y, 0, (short)plane)
        : _tiff.ComputeStrip(y, (short)plane));

    /// <summary>All bands of a rectangle, pixel by pixel.</summary>
    /// <param name="top">The rectangle's first row.</param>
    /// <param name="left">The rectangle's first column.</param>
    /// <param name="height">The rectangle's number of rows.</param>
    /// <param name="width">The rectangle's number of columns.</param>
    /// <param name="samples">Gets height * width * <see cref="Bands"/> numbers.</param>
    /// <exception cref="ImageException">That part of the file is cut off or damaged.</exception>
    public void ReadWindow(int top, int left, int height, int width, Span<ushort> samples)
    {
        int planes = IsSeparate ? Bands : 1;
        for (int plane = 0; plane < planes; plane++)
        {
            for (int y = top - top % BlockHeight; y < top + height; y += BlockHeight)
            {
                for (int x = left - left % BlockWidth; x < left + width; x += BlockWidth)
                {
                    byte[] block = Hold(y, x, plane);
                    Copy(block, y, x, plane, (top, left, height, width), samples);
                }
            }
        }
    }

    private static ImageException CutOff() => new("the TIFF ends early or is damaged; send the whole file.");

    /// <summary>
    /// Whatever LibTiff throws over a broken file is the file's fault, unless the file could not be read, of which
    /// LibTiff need not say anything.
    /// </summary>
    private T Guarded<T>(Func<T> read)
    {
        T result;
        try
        {
            result = TiffMessages.Quietly(read);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ImageException))
        {
            throw Unread() ?? new ImageException(CutOff().Message, e);
        }
        return Unread() is { } unread ? throw unread : result;
    }

    private ImageException? Unread() => _stream?.Thrown is { } thrown
        ? new ImageException($"the file cannot be read ({thrown.Message.TrimEnd('.')}).", thrown)
        : null;

    private int Number(TiffTag tag, int missing)
    {
        FieldValue[]? value = Guarded(() => _tiff.GetField(tag));
        return value is { Length: > 0 } ? value[0].ToInt() : missing;
    }

    /// <summary>Unpacks the strip or tile at this place.</summary>
    private byte[] Hold(int y, int x, int plane)
    {
        int number = NumberOf(y, x, plane);
        _block ??= GC.AllocateUninitializedArray<byte>(RowSize * BlockHeight);
        if (number == _held)
            return _block;
        _held = -1;
        ReadBlock(y, x, plane, _block);
        _held = number;
        return _block;
    }

    private void Copy(
        byte[] block, int y, int x, int plane, (int Top, int Left, int Height, int Width) window, Span<ushort> samples)
    {
        int top = Math.Max(y, window.Top), bottom = Math.Min(y + BlockHeight, window.Top + window.Height);
        int left = Math.Max(x, window.Left), right = Math.Min(x + BlockWidth, window.Left + window.Width);
        int inBlock = IsSeparate ? 1 : Bands, step = Bands / inBlock;
        for (int row = top; row < bottom; row++)
        {
            ReadOnlySpan<byte> from = block.AsSpan((row - y) * RowSize, RowSize);
            int to = ((row - window.Top) * window.Width + left - window.Left) * Bands + plane;
            for (int i = (left - x) * inBlock; i < (right - x) * inBlock; i++, to += step)
                samples[to] = (ushort)Sample(from, i);
        }
    }

    /// <summary>A whole number of a row of a strip or tile.</summary>
    public int Sample(ReadOnlySpan<byte> row, int i)
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
