using System.Numerics;
using System.Runtime.InteropServices;
using Atrous.Files;
using Atrous.Imaging.Formats;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Maps;

/// <summary>
/// A TIFF of any number of bands, of which windows are read, and which may be a map: a GeoTIFF. Pixels without data are
/// those whose bands are all GDAL's no-data value, whose alpha or mask is 0, or of which a band is no finite number;
/// networks see nothing there.
/// </summary>
internal sealed class TiffRaster : IWindowSource
{
    /// <summary>Of 11 classes, the scores of 170 rows of them take 750 MB.</summary>
    private const int MostWidth = 100_000;

    /// <summary>Windows take some numbers for each row.</summary>
    private const int MostHeight = 4_000_000;

    /// <summary>Numbers that are converted at once, of a window of any size.</summary>
    private const int MostAtOnce = 1 << 22;

    /// <summary>Of a mask, whose pixels have a bit each.</summary>
    private const long MostMaskBytes = 1 << 26;

    private readonly string? _path;
    private readonly Stream _file;
    private readonly TiffReader _reader;
    private readonly TiffBlocks _blocks;
    private readonly TiffReader? _mask;
    private readonly TiffBlocks? _maskBlocks;
    private readonly BandChoice _choice;
    private readonly int[] _read;
    private readonly ushort[][]? _palette;
    private readonly float? _noData;
    private readonly float _scale, _flip;
    private readonly bool _asBytes;
    private readonly float[] _nothing;

    /// <summary>Kept, because memory that is thrown away after each window is collected late.</summary>
    private float[] _raw = [];
    private bool[] _masked = [];

    /// <exception cref="ImageException">
    /// The file cannot be read or is too large, or has not the bands that the network takes.
    /// </exception>
    public TiffRaster(string path, RasterReading reading)
        : this(path, () => RegularFile.OpenRead(path), reading)
    {
    }

    /// <summary>Of a file in memory, which stays as it is until this is disposed.</summary>
    /// <inheritdoc cref="TiffRaster(string, RasterReading)" path="/exception"/>
    public TiffRaster(ReadOnlyMemory<byte> file, RasterReading reading)
        : this(null, () => new PinnedStream(file), reading)
    {
    }

    private TiffRaster(string? path, Func<Stream> open, RasterReading reading)
    {
        _path = path;
        try
        {
            _file = open();
            _reader = new TiffReader(new TiffOnStream(_file), reading.MaxPixels, allowsAnyNumber: true);
            if (_reader.Orientation != Turning.Upright)
                throw new ImageException("a TIFF that is turned cannot be read in windows; save it upright.");
            Tags = GeoTags.Of(_reader);
            Reference = GeoReference.Of(Tags);
            if (Width > MostWidth || Height > MostHeight)
            {
                throw new ImageException(
                    $"the TIFF has {Width} x {Height} pixels, more than {MostWidth} in a row or more than {MostHeight} "
                    + "rows; cut it up.");
            }
            _choice = BandChoice.Of(_reader, reading, Tags.IsPlaced);
            _blocks = reading.ReadsOnce ? TiffBlocks.OfRow(_reader) : new TiffBlocks(_reader);
            _read = _choice.Alpha is { } alpha ? [.. _choice.Bands, alpha] : _choice.Bands;
            _palette = _reader.Colour == Photometric.PALETTE ? TiffPictures.PaletteOf(_reader) : null;
            _noData = (float?)Tags.NoDataValue;
            _reader.Missing = Tags.NoDataValue;
            _mask = MaskOf(_file, _reader, reading.MaxPixels);
            _maskBlocks = _mask is null ? null
                : reading.ReadsOnce ? TiffBlocks.OfRow(_mask) : new TiffBlocks(_mask, MostMaskBytes);
            float white = WhiteOf(_reader, reading, _palette is not null);
            _scale = byte.MaxValue / white;
            _flip = _reader.Colour == Photometric.MINISWHITE && _reader.Depth <= 16 ? (1 << _reader.Depth) - 1 : 0;
            Channels = _palette is null ? _choice.Bands.Length : 3;
            _asBytes = _reader.Depth <= 8 && reading.White is null && Channels is 1 or 3 or 4;
            _nothing = reading.Nothing(Channels);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose();
            throw Named(new ImageException($"the file cannot be read ({e.Message.TrimEnd('.')}).", e));
        }
        catch (ImageException e)
        {
            Dispose();
            throw Named(e);
        }
    }

    public int Height => _reader.Height;

    public int Width => _reader.Width;

    /// <summary>Numbers of a pixel that the network gets.</summary>
    public int Channels { get; }

    /// <summary>What the file says of its place.</summary>
    public GeoTags Tags { get; }

    /// <summary>Where its pixels lie; null where that is not known.</summary>
    public GeoReference? Reference { get; }

    /// <summary>A sentence about what is left out of the file; null for nothing.</summary>
    public string? Warning => _choice.Note;

    public bool MayLackPixels =>
        _noData is not null || _choice.Alpha is not null || _mask is not null || _reader.IsFloat;

    public Image Window(int top, int left, int height, int width)
    {
        if ((long)height * width * Channels > Array.MaxLength)
        {
            throw Named(new ImageException(
                $"{width} x {height} pixels of {Channels} bands take too much memory; use a window.")
            {
                Remedy = Remedy.SlideWindow,
            });
        }
        try
        {
            Image picture = _asBytes
                ? new Image(height, width, Channels)
                : Image.OfBands(new float[height * width * Channels], height, width, Channels);
            try
            {
                Fill(picture, top, left);
                return picture;
            }
            catch
            {
                picture.Dispose();
                throw;
            }
        }
        catch (ImageException e)
        {
            throw Named(e);
        }
    }

    public void FindMissing(int top, Span<bool> missing)
    {
        if (!MayLackPixels)
        {
            missing.Clear();
            return;
        }
        try
        {
            int rows = RowsAtOnce(Width);
            for (; !missing.IsEmpty; missing = missing[Math.Min(rows * Width, missing.Length)..], top += rows)
            {
                Span<bool> part = missing[..Math.Min(rows * Width, missing.Length)];
                Span<float> raw = Read(top, 0, part.Length / Width, Width);
                for (int i = 0; i < part.Length; i++)
                    part[i] = IsMissing(i, raw.Slice(i * _read.Length, _read.Length));
            }
        }
        catch (ImageException e)
        {
            throw Named(e);
        }
    }

    public void Dispose()
    {
        _mask?.Dispose();
        _reader?.Dispose();
        _file?.Dispose();
    }

    private int RowsAtOnce(int width) => Math.Max(MostAtOnce / (width * _read.Length), 1);

    private ImageException Named(ImageException e) =>
        _path is null ? e : new($"{_path}: {e.Message}", e) { Remedy = e.Remedy };

    private static float WhiteOf(TiffReader reader, RasterReading reading, bool isPalette)
    {
        if (isPalette)
            return byte.MaxValue;
        if (reading.White is { } white)
            return (float)white;
        if (reader.IsSigned || reader.IsFloat)
        {
            throw new ImageException(
                $"the TIFF's samples are {(reader.IsFloat ? "floats" : "numbers with a sign")}, and it does not say "
                + "how large they can be; say which of them stands for white.")
            {
                Remedy = Remedy.SayWhite,
            };
        }
        return (1 << reader.Depth) - 1;
    }

    private void Fill(Image picture, int top, int left)
    {
        (int height, int width) = (picture.Height, picture.Width);
        float[] pixel = new float[Channels];
        int most = RowsAtOnce(width);
        for (int done = 0; done < height; done += most)
        {
            int rows = Math.Min(most, height - done);
            Span<float> raw = Read(top + done, left, rows, width);
            for (int y = 0; y < rows; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    int at = y * width + x;
                    Convert(at, raw.Slice(at * _read.Length, _read.Length), pixel);
                    Put(picture, done + y, x, pixel);
                }
            }
        }
    }

    private static void Put(Image picture, int y, int x, float[] pixel)
    {
        Span<byte> bytes = picture.Row(y).Slice(x * picture.Channels, picture.Channels);
        for (int c = 0; c < bytes.Length; c++)
            bytes[c] = Image.ToByte(pixel[c]);
        if (picture.Samples is { } samples)
            pixel.CopyTo(samples.AsSpan((y * picture.Width + x) * pixel.Length));
    }

    private void Convert(int at, ReadOnlySpan<float> raw, float[] pixel)
    {
        if (MayLackPixels && IsMissing(at, raw))
        {
            _nothing.CopyTo(pixel, 0);
            return;
        }
        for (int c = 0; c < pixel.Length; c++)
        {
            pixel[c] = _palette is { } palette ? palette[c][(int)raw[0]]
                : _flip != 0 ? (_flip - raw[c]) * _scale
                : raw[c] * _scale;
        }
    }

    /// <param name="at">The pixel in the rectangle that was read last.</param>
    /// <param name="raw">The bands of that pixel as the file has them.</param>
    private bool IsMissing(int at, ReadOnlySpan<float> raw)
    {
        int bands = _choice.Bands.Length;
        if (_mask is not null && _masked[at] || _choice.Alpha is not null && raw[bands] == 0)
            return true;
        bool allNoData = _noData is not null;
        for (int c = 0; c < bands; c++)
        {
            if (!float.IsFinite(raw[c]))
                return true;
            allNoData &= raw[c] == _noData;
        }
        return allNoData;
    }

    /// <summary>
    /// The bands that are read of a rectangle, pixel by pixel, as they are in the file; valid until the next call.
    /// </summary>
    private Span<float> Read(int top, int left, int height, int width)
    {
        var window = new PixelBox(top, left, height, width);
        int size = height * width * _read.Length;
        if (_raw.Length < size)
            _raw = GC.AllocateUninitializedArray<float>(size);
        Span<float> raw = _raw.AsSpan(0, size);
        int blockHeight = _reader.BlockHeight, blockWidth = _reader.BlockWidth;
        for (int y = top - top % blockHeight; y < top + height; y += blockHeight)
        {
            for (int x = left - left % blockWidth; x < left + width; x += blockWidth)
            {
                for (int band = 0; band < _read.Length; band++)
                {
                    ReadOnlySpan<byte> block = _blocks.At(y, x, _reader.IsSeparate ? _read[band] : 0);
                    switch (_reader.Depth)
                    {
                        case 32:
                            Copy<float>(block, y, x, band, window, raw);
                            break;
                        case 16 when _reader.IsSigned:
                            Copy<short>(block, y, x, band, window, raw);
                            break;
                        case 16:
                            Copy<ushort>(block, y, x, band, window, raw);
                            break;
                        case 8:
                            Copy<byte>(block, y, x, band, window, raw);
                            break;
                        default:
                            CopyBits(block, y, x, band, window, raw);
                            break;
                    }
                }
            }
        }
        if (_mask is not null)
            ReadMask(_mask, window);
        return raw;
    }

    private static TiffReader? MaskOf(Stream file, TiffReader picture, long maxPixels)
    {
        if (TiffDirectory.MaskOf(new TiffOnStream(file)) is not { } place)
            return null;
        var mask = new TiffReader(new TiffOnStream(file), maxPixels, allowsAnyNumber: false, place);
        if (mask.Bands == 1 && (mask.Height, mask.Width) == (picture.Height, picture.Width))
            return mask;
        mask.Dispose();
        throw TiffReader.Unreadable("its mask has other sides or more than one band");
    }

    /// <summary>Where a mask is 0 there are no data.</summary>
    private void ReadMask(TiffReader mask, PixelBox window)
    {
        if (_masked.Length < window.Height * window.Width)
            _masked = new bool[window.Height * window.Width];
        int blockHeight = mask.BlockHeight, blockWidth = mask.BlockWidth;
        for (int y = window.Top - window.Top % blockHeight; y < window.Top + window.Height; y += blockHeight)
        {
            for (int x = window.Left - window.Left % blockWidth; x < window.Left + window.Width; x += blockWidth)
            {
                ReadOnlySpan<byte> block = _maskBlocks!.At(y, x, 0);
                (int top, int bottom, int left, int right) = Shared(mask, y, x, window);
                for (int row = top; row < bottom; row++)
                {
                    ReadOnlySpan<byte> from = block.Slice((row - y) * mask.RowSize, mask.RowSize);
                    int to = (row - window.Top) * window.Width - window.Left;
                    for (int column = left; column < right; column++)
                        _masked[to + column] = mask.Sample(from, column - x) == 0;
                }
            }
        }
    }

    private void Copy<T>(
        ReadOnlySpan<byte> block, int y, int x, int band, PixelBox window, Span<float> raw)
        where T : unmanaged, INumber<T>
    {
        int inBlock = _reader.IsSeparate ? 1 : _reader.Bands, first = _reader.IsSeparate ? 0 : _read[band];
        (int top, int bottom, int left, int right) = Shared(_reader, y, x, window);
        for (int row = top; row < bottom; row++)
        {
            // LibTiff has them in this machine's order.
            ReadOnlySpan<T> from =
                MemoryMarshal.Cast<byte, T>(block.Slice((row - y) * _reader.RowSize, _reader.RowSize));
            int to = ((row - window.Top) * window.Width + left - window.Left) * _read.Length + band;
            for (int at = (left - x) * inBlock + first; at < (right - x) * inBlock; at += inBlock, to += _read.Length)
                raw[to] = float.CreateTruncating(from[at]);
        }
    }

    /// <summary>Samples of less than a byte.</summary>
    private void CopyBits(
        ReadOnlySpan<byte> block, int y, int x, int band, PixelBox window, Span<float> raw)
    {
        int inBlock = _reader.IsSeparate ? 1 : _reader.Bands, first = _reader.IsSeparate ? 0 : _read[band];
        (int top, int bottom, int left, int right) = Shared(_reader, y, x, window);
        for (int row = top; row < bottom; row++)
        {
            ReadOnlySpan<byte> from = block.Slice((row - y) * _reader.RowSize, _reader.RowSize);
            int to = ((row - window.Top) * window.Width + left - window.Left) * _read.Length + band;
            for (int at = (left - x) * inBlock + first; at < (right - x) * inBlock; at += inBlock, to += _read.Length)
                raw[to] = _reader.Sample(from, at);
        }
    }

    private static (int Top, int Bottom, int Left, int Right) Shared(
        TiffReader reader, int y, int x, PixelBox window) => (
            Math.Max(y, window.Top), Math.Min(y + reader.BlockHeight, window.Top + window.Height),
            Math.Max(x, window.Left), Math.Min(x + reader.BlockWidth, window.Left + window.Width));

    private readonly record struct PixelBox(int Top, int Left, int Height, int Width);
}
