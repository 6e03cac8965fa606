using System.Buffers.Binary;
using Atrous.Files;
using Atrous.Imaging.Formats;

namespace Atrous.Imaging;

/// <summary>
/// A PNG file of which only the rows under a window are held. Windows go down; where one lies above the last, the file
/// is read again from its beginning.
/// </summary>
internal sealed class PngBands : IWindowSource
{
    /// <summary>A row is held several times.</summary>
    private const int MostWidth = 100_000;

    /// <summary>Windows take some numbers for each row.</summary>
    private const int MostHeight = 4_000_000;

    private readonly FileStream _file;
    private readonly string _path;
    private readonly long _maxPixels;
    private readonly long _size;
    private readonly int _channels, _depth;
    private PngReader? _rows;
    private Image? _band;

    /// <summary>The band's first row in the picture, and the first that is not read yet.</summary>
    private int _top, _next;

    /// <exception cref="ImageException">
    /// The file cannot be read, or is no PNG, interlaced, turned by EXIF, broken or too large.
    /// </exception>
    public PngBands(string path, long maxPixels)
    {
        (_path, _maxPixels) = (path, maxPixels);
        try
        {
            // Of a link the stream tells the length of what it leads to.
            _file = RegularFile.OpenRead(path);
            _size = _file.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            _file?.Dispose();
            throw new ImageException($"{path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
        try
        {
            PngHeader header = Open();
            (Height, Width, _channels, _depth) = (header.Height, header.Width, header.Channels, header.Depth);
            if (Height > MostHeight)
                throw new ImageException(
                    $"{path}: the picture has {Height} rows, more than {MostHeight}; cut the picture up.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>As <see cref="Image.Warning"/>, once the last row is read.</summary>
    public string? Warning { get; private set; }

    /// <summary>
    /// The pixels of a PNG by its header; 0 of what is none, is broken, or can be read only once.
    /// </summary>
    /// <exception cref="ImageException">It cannot be read now, so that nobody knows what it is.</exception>
    public static long PixelsOf(string path)
    {
        const int header = 24;
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            Span<byte> start = stackalloc byte[header];
            return file.CanSeek && file.ReadAtLeast(start, header, throwOnEndOfStream: false) == header
                && start[1..4].SequenceEqual("PNG"u8)
                ? (long)BinaryPrimitives.ReadUInt32BigEndian(start[16..])
                    * BinaryPrimitives.ReadUInt32BigEndian(start[20..])
                : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (PassingError.IsIn(e))
                throw new ImageException($"{path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
            return 0; // whoever reads it says why it cannot be read
        }
    }

    public Image Window(int top, int left, int height, int width)
    {
        MoveTo(top, height);
        return _band!.Crop(0, left, height, width);
    }

    public void Dispose()
    {
        _band?.Dispose();
        _rows?.Dispose();
        _rows = null;
        _file.Dispose();
    }

    private PngHeader Open()
    {
        _rows?.Dispose();
        (_rows, _next, _top) = (null, 0, 0);
        _band?.Dispose();
        _band = null;
        try
        {
            var file = new PngInFile(_file.SafeFileHandle, _size);
            var signature = new byte[(int)Math.Min(_size, PngChunks.SignatureSize)];
            file.Read(0, signature);
            if (!PngReader.IsPng(signature))
                throw new ImageException("this is no PNG, which alone is read row by row.");
            _rows = new PngReader(file, _maxPixels);
            PngHeader header = _rows.Header;
            if (header.Width > MostWidth)
            {
                throw new ImageException(
                    $"a row of the picture has more than {MostWidth} pixels; cut the picture up.");
            }
            if (header.IsInterlaced)
            {
                throw new ImageException(
                    "an interlaced PNG cannot be read row by row; save it without interlacing.");
            }
            return _rows.Orientation == Turning.Upright
                ? header
                : throw new ImageException("a PNG that EXIF turns cannot be read row by row; save it upright.");
        }
        catch (ImageException e)
        {
            throw Named(e);
        }
    }

    private ImageException Named(ImageException e) => new($"{_path}: {e.Message}", e) { Remedy = e.Remedy };

    private void MoveTo(int top, int height)
    {
        if (_band is not null && top == _top && height == _band.Height)
            return;
        if (_band is not null && top < _top)
            Open();
        if ((long)height * Width * _channels > int.MaxValue)
            throw new ImageException($"{_path}: {height} rows of it take more than 2 GiB; use a smaller window.");
        var band = new Image(height, Width, _channels)
        {
            Lower = _depth == 16 ? new Image(height, Width, _channels) : null,
        };
        int kept = _band is null ? 0 : Math.Clamp(_next - top, 0, height);
        for (int y = 0; y < kept; y++)
        {
            _band!.Row(top - _top + y).CopyTo(band.Row(y));
            _band.Lower?.Row(top - _top + y).CopyTo(band.Lower!.Row(y));
        }
        while (_next < top)
            Read(band, 0, 1);
        if (height > kept)
            Read(band, kept, height - kept);
        _band?.Dispose();
        (_band, _top) = (band, top);
    }

    private void Read(Image band, int top, int count)
    {
        try
        {
            _rows!.ReadRows(band, top, count);
            _next += count;
            if (_next < Height)
                return;
            _rows.End();
            Warning = PictureDecoder.Warning(_rows.LacksEnd, _rows.IsAnimated);
        }
        catch (ImageException e)
        {
            throw Named(e);
        }
    }
}
