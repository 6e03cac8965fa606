using System.IO.Compression;

namespace Atrous.Imaging.Formats;

/// <summary>A PNG, row by row. Damage is refused: every checksum is verified, and every row must be there.</summary>
internal sealed class PngReader : IDisposable
{
    private readonly PngChunks _chunks;
    private readonly PngDataStream _data;
    private readonly ZLibStream _unpacked;
    private byte[] _row = [], _above = [];

    /// <summary>Reads all that stands before the pixels.</summary>
    /// <exception cref="ImageException">The file is cut off, damaged, or claims too many pixels.</exception>
    public PngReader(FileBytes file, long maxPixels)
        : this(new PngInMemory(file), maxPixels)
    {
    }

    /// <inheritdoc cref="PngReader(FileBytes, long)"/>
    public PngReader(PngBytes file, long maxPixels)
    {
        Header = new PngHeader(file, maxPixels);
        _chunks = new PngChunks(file);
        Header.ReadColours(_chunks);
        _data = new PngDataStream(_chunks);
        _unpacked = new ZLibStream(_data, CompressionMode.Decompress);
    }

    public PngHeader Header { get; }

    public int Orientation => _chunks.Orientation;

    /// <summary>The file stops before its end mark, behind the last pixel.</summary>
    public bool LacksEnd => _chunks.LacksOnlyEnd;

    /// <inheritdoc cref="PngChunks.IsAnimated"/>
    public bool IsAnimated => _chunks.IsAnimated;

    /// <summary>As loading would return it.</summary>
    public ImageInfo Info
    {
        get
        {
            (int height, int width) = Turning.SwapsSides(Orientation)
                ? (Header.Width, Header.Height)
                : (Header.Height, Header.Width);
            return new ImageInfo(height, width, Header.Channels, ImageFormat.Png);
        }
    }

    public static bool IsPng(ReadOnlySpan<byte> file) =>
        file.StartsWith<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n']);

    public static ImageException CutOff() => new("the PNG ends early; send the whole file.");

    public static ImageException Broken(string reason) =>
        new($"the PNG is broken ({reason}); use a sound copy of the file.");

    public void Dispose() => _unpacked.Dispose();

    /// <summary>The picture as it is meant to be seen.</summary>
    public Image Decode()
    {
        var stored = new Image(Header.Height, Header.Width, Header.Channels);
        try
        {
            if (Header.Depth == 16)
                stored.Lower = new Image(Header.Height, Header.Width, Header.Channels);
            ReadPixels(stored.Pixels, LowerOf(stored), Header.Channels, PngPixels.ToColours);
            End();
            return Turning.Apply(stored, Orientation);
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <summary>The numbers that the file holds, as they are meant to be seen.</summary>
    /// <exception cref="ImageException">Its pixels are colours, or it is damaged.</exception>
    public (ushort[] Labels, ImageInfo Info) DecodeLabels()
    {
        if (Header.Colour is not (PngColour.Palette or PngColour.Grey))
        {
            throw new ImageException(
                $"the PNG holds {(Header.Colour == PngColour.GreyAlpha ? "grey and alpha" : "colours")}, a label map "
                + "one class per pixel; save it as palette or grey PNG.");
        }
        var labels = GC.AllocateUninitializedArray<ushort>(checked(Header.Height * Header.Width));
        ReadPixels<ushort>(labels, [], 1, static (header, raw, to) => PngPixels.ToNumbers(header.Depth, raw, to));
        End();
        if (Orientation == Turning.Upright)
            return (labels, Info);
        var seen = GC.AllocateUninitializedArray<ushort>(labels.Length);
        Turning.Turn<ushort>(labels, Header.Height, Header.Width, 1, Orientation, seen);
        return (seen, Info);
    }

    /// <summary>Some next rows of a picture that is not interlaced.</summary>
    public void ReadRows(Image to, int top, int count)
    {
        for (int y = top; y < top + count; y++)
        {
            ReadOnlySpan<byte> raw = NextRow(Header.Width);
            PngPixels.ToColours(Header, raw, to.Row(y));
            if (to.Lower is { } lower)
                PngPixels.ToLower(Header, raw, lower.Row(y));
        }
    }

    /// <summary>Verifies all that follows the last row.</summary>
    public void End()
    {
        _chunks.CheckFrom(_data.Next);
        if (!LacksEnd && !_chunks.HasEnd)
            throw CutOff();
    }

    private delegate void Converter<T>(PngHeader header, ReadOnlySpan<byte> raw, Span<T> to);

    private static Span<byte> LowerOf(Image stored) => stored.Lower is { } lower ? lower.Pixels : [];

    /// <summary>All rows: what a row becomes, and of 16 bits the lower ones where somebody wants them.</summary>
    private void ReadPixels<T>(Span<T> pixels, Span<byte> lower, int channels, Converter<T> convert)
    {
        int width = Header.Width, height = Header.Height, size = width * channels;
        if (!Header.IsInterlaced)
        {
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<byte> raw = NextRow(width);
                convert(Header, raw, pixels.Slice(y * size, size));
                if (!lower.IsEmpty)
                    PngPixels.ToLower(Header, raw, lower.Slice(y * size, size));
            }
            return;
        }
        var line = new T[size];
        byte[] lowerLine = lower.IsEmpty ? [] : new byte[size];
        foreach ((int top, int left, int stepY, int stepX) in
            ((int, int, int, int)[])[(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                (1, 0, 2, 1)])
        {
            int columns = (width - left + stepX - 1) / stepX;
            if (columns == 0)
                continue;
            Array.Clear(_row); // which becomes the row above the first
            for (int y = top; y < height; y += stepY)
            {
                ReadOnlySpan<byte> raw = NextRow(columns);
                convert(Header, raw, line.AsSpan(0, columns * channels));
                Spread<T>(line, pixels.Slice(y * size, size), left, stepX, columns, channels);
                if (lower.IsEmpty)
                    continue;
                PngPixels.ToLower(Header, raw, lowerLine.AsSpan(0, columns * channels));
                Spread<byte>(lowerLine, lower.Slice(y * size, size), left, stepX, columns, channels);
            }
        }
    }

    private static void Spread<T>(
        ReadOnlySpan<T> from, Span<T> row, int left, int step, int columns, int channels)
    {
        for (int x = 0; x < columns; x++)
            from.Slice(x * channels, channels).CopyTo(row[((left + x * step) * channels)..]);
    }

    /// <summary>The next row of so many pixels, as the file has them, without its filter.</summary>
    private ReadOnlySpan<byte> NextRow(int width)
    {
        long size = Header.RowSize(width);
        if (_row.Length == 0)
        {
            long most = Header.RowSize(Header.Width) + 1;
            if (most > Array.MaxLength)
                throw new ImageException($"a row of the picture takes {most} bytes; cut the picture up.");
            (_row, _above) = (new byte[most], new byte[most]);
        }
        (_row, _above) = (_above, _row);
        Span<byte> row = _row.AsSpan(0, (int)size + 1);
        Unpack(row);
        PngFilters.Undo(row[0], row[1..], _above.AsSpan(1, (int)size), Math.Max(1, Header.Samples * Header.Depth / 8));
        return row[1..];
    }

    private void Unpack(Span<byte> row)
    {
        int read;
        try
        {
            read = _unpacked.ReadAtLeast(row, row.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e) when (!_data.IsAtEnd)
        {
            throw new ImageException(Broken("its pixels cannot be unpacked").Message, e);
        }
        catch (InvalidDataException)
        {
            read = 0; // the runtime's word for data that stop before their end
        }
        if (read < row.Length)
            throw LacksEnd || !_chunks.HasEnd ? CutOff() : Broken("Not enough image data");
    }
}
