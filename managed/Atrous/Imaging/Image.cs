using Atrous.Native;

namespace Atrous.Imaging;

/// <summary>
/// A picture of 8-bit channels, interleaved, rows packed: channel c of pixel (y, x) is at (y * Width + x) * Channels +
/// c. It owns memory outside the garbage-collected heap; dispose it to give the memory back.
/// </summary>
public sealed unsafe class Image : IDisposable
{
    /// <summary>
    /// Pixels that a file's header may claim unless the caller says otherwise: 268 million, 16384 x 16384.
    /// </summary>
    public const long DefaultMaxPixels = 1L << 28;

    private readonly PixelBuffer _buffer;

    /// <summary>A black picture.</summary>
    /// <param name="width">Pixels, at least 1.</param>
    /// <param name="height">Pixels, at least 1.</param>
    /// <param name="channels">1 grey, 2 grey and alpha, 3 RGB, 4 RGBA (or four bands of anything).</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A side or channel count that no picture has, or more than 2^31 bytes.
    /// </exception>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public Image(int width, int height, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)width * height, int.MaxValue / channels, "width * height");
        _buffer = new PixelBuffer(height, width, channels);
    }

    private Image(NativeImage decoded) => _buffer = new PixelBuffer(decoded);

    public int Width => _buffer.Image.Width;

    public int Height => _buffer.Image.Height;

    /// <summary>1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.</summary>
    public int Channels => _buffer.Image.Channels;

    /// <summary>All pixels, Height * Width * Channels bytes. Valid until the picture is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public Span<byte> Pixels
    {
        get
        {
            ObjectDisposedException.ThrowIf(_buffer.IsClosed, this);
            return new Span<byte>(_buffer.Image.Pixels, _buffer.SizeInBytes);
        }
    }

    /// <summary>
    /// Reads a JPEG (turned upright as its EXIF orientation says; CMYK becomes RGB) or a PNG (palette becomes RGB,
    /// transparency alpha, 16 bits the upper 8). Pixels agree with Pillow's bit for bit.
    /// </summary>
    /// <param name="path">Of the file.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <exception cref="ImageException">
    /// The file is missing, broken, truncated, too large, or of another format.
    /// </exception>
    public static Image Load(string path, long maxPixels = DefaultMaxPixels) =>
        Decode(ImageFile.Read(path), maxPixels, path);

    /// <summary>As <see cref="Load(string, long)"/>, from the stream's position to its end.</summary>
    /// <exception cref="ImageException">The bytes are no sound picture within the limit.</exception>
    public static Image Load(Stream stream, long maxPixels = DefaultMaxPixels) =>
        Decode(ImageFile.Read(stream), maxPixels, null);

    /// <summary>As <see cref="Load(string, long)"/>, from a file's bytes.</summary>
    /// <exception cref="ImageException">The bytes are no sound picture within the limit.</exception>
    public static Image Load(ReadOnlySpan<byte> bytes, long maxPixels = DefaultMaxPixels) =>
        Decode(bytes, maxPixels, null);

    /// <summary>Copies pixels that are already in memory.</summary>
    /// <exception cref="ArgumentException">There are not width * height * channels bytes.</exception>
    public static Image FromPixels(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        if ((long)width * height * channels != pixels.Length)
        {
            throw new ArgumentException(
                $"{width} x {height} pixels of {channels} channels are {(long)width * height * channels} bytes, not " +
                $"{pixels.Length}.",
                nameof(pixels));
        }
        var image = new Image(width, height, channels);
        pixels.CopyTo(image.Pixels);
        return image;
    }

    /// <summary>Reads a file's header alone.</summary>
    /// <exception cref="ImageException">The file is missing, or its header is no JPEG's or PNG's.</exception>
    public static ImageInfo Probe(string path) => ReadHeader(ImageFile.Read(path), path);

    /// <summary>As <see cref="Probe(string)"/>, from the stream's position to its end.</summary>
    /// <exception cref="ImageException">The header is no JPEG's or PNG's.</exception>
    public static ImageInfo Probe(Stream stream) => ReadHeader(ImageFile.Read(stream), null);

    /// <summary>As <see cref="Probe(string)"/>, from a file's bytes.</summary>
    /// <exception cref="ImageException">The header is no JPEG's or PNG's.</exception>
    public static ImageInfo Probe(ReadOnlySpan<byte> bytes) => ReadHeader(bytes, null);

    /// <summary>Writes a JPEG of 4:2:0 chroma; it has no alpha, so that is dropped.</summary>
    /// <param name="path">Of the file, which is overwritten.</param>
    /// <param name="quality">1 to 100.</param>
    /// <exception cref="AtrousException">
    /// The file cannot be written, or a side is longer than a JPEG's 65500.
    /// </exception>
    public void SaveJpeg(string path, int quality = 90)
    {
        using EncodedImage file = EncodeJpeg(quality);
        file.Save(path);
    }

    /// <summary>Writes a JPEG of 4:2:0 chroma to a stream.</summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="quality">1 to 100.</param>
    public void SaveJpeg(Stream stream, int quality = 90)
    {
        using EncodedImage file = EncodeJpeg(quality);
        file.Save(stream);
    }

    /// <summary>Writes a PNG of the picture's own channels.</summary>
    /// <param name="path">Of the file, which is overwritten.</param>
    /// <param name="level">zlib's, 0 (fast, large) to 9.</param>
    /// <exception cref="AtrousException">The file cannot be written.</exception>
    public void SavePng(string path, int level = 3)
    {
        using EncodedImage file = EncodePng(level);
        file.Save(path);
    }

    /// <summary>Writes a PNG of the picture's own channels to a stream.</summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="level">zlib's, 0 (fast, large) to 9.</param>
    public void SavePng(Stream stream, int level = 3)
    {
        using EncodedImage file = EncodePng(level);
        file.Save(stream);
    }

    public void Dispose() => _buffer.Dispose();

    public override string ToString() => $"{Width} x {Height} pixels of {Channels} channels";

    /// <summary>The picture for libatrous, kept alive until the lease ends.</summary>
    internal PixelLease Lease() => new(_buffer);

    /// <summary>
    /// The same for longer than a method: the buffer is added to those that the caller releases in the end.
    /// </summary>
    internal NativeImage Hold(List<PixelBuffer> held)
    {
        bool added = false;
        _buffer.DangerousAddRef(ref added);
        held.Add(_buffer);
        return _buffer.Image;
    }

    private static Image Decode(ReadOnlySpan<byte> bytes, long maxPixels, string? name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        // Spans count bytes in 31 bits, and a pixel has up to 4.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, int.MaxValue / 4);
        fixed (byte* file = bytes)
        {
            LibAtrous.ThrowIfFailed(
                LibAtrous.ImageDecode(file, (nuint)bytes.Length, maxPixels, out NativeImage image), name);
            return new Image(image);
        }
    }

    private static ImageInfo ReadHeader(ReadOnlySpan<byte> bytes, string? name)
    {
        fixed (byte* file = bytes)
        {
            LibAtrous.ThrowIfFailed(LibAtrous.ImageProbe(file, (nuint)bytes.Length, out NativeImageInfo info), name);
            return new ImageInfo(info.Width, info.Height, info.Channels, (ImageFormat)info.Format);
        }
    }

    private EncodedImage EncodeJpeg(int quality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        const int longest = 65500;
        if (Width > longest || Height > longest)
            throw new ImageException(
                $"A JPEG's sides have at most {longest} pixels, this picture {Width} x {Height}; save a PNG.");
        if (Channels is 2 or 4)
        {
            using Image opaque = this.WithChannels(Channels - 1);
            return opaque.EncodeJpeg(quality);
        }
        using PixelLease pixels = Lease();
        LibAtrous.ThrowIfFailed(LibAtrous.JpegEncode(in pixels.Image, quality, out NativeBytes bytes));
        return new EncodedImage(bytes);
    }

    private EncodedImage EncodePng(int level)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9);
        using PixelLease pixels = Lease();
        LibAtrous.ThrowIfFailed(LibAtrous.PngEncode(in pixels.Image, level, out NativeBytes bytes));
        return new EncodedImage(bytes);
    }
}
