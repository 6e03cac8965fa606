using Atrous.Imaging.Formats;

namespace Atrous.Imaging;

/// <content>Pictures in files.</content>
public sealed partial class Image
{
    internal const string LacksEnd =
        "The file stops before its end mark; all pixels are there, but what came behind them is lost.";

    internal const string IsAnimated = "The file is an animation; its first picture is read.";

    /// <summary>
    /// A sentence about the file that the picture was read from, where it was not whole but all its pixels were, is an
    /// animation, or has bands that are not used; null otherwise.
    /// </summary>
    public string? Warning { get; internal set; }

    /// <summary>
    /// Reads a JPEG (CMYK becomes RGB), PNG (palette becomes RGB, transparency alpha), WebP, GIF, BMP or TIFF (grey or
    /// RGB, without alpha), turned upright as its EXIF orientation says; of several frames or pages the first. Pixels
    /// agree with Pillow's bit for bit. Of 16 bits a channel <see cref="Pixels"/> has the upper 8; networks get all.
    /// </summary>
    /// <param name="path">The path of a picture file.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <exception cref="ImageException">
    /// The file is missing, broken, truncated, too large, or of another format.
    /// </exception>
    public static Image Load(string path, long maxPixels = DefaultMaxPixels) =>
        Decode(ImageFile.Read(path), maxPixels, path);

    /// <summary>As <see cref="Load(string, long)"/>, from the stream's position to its end.</summary>
    /// <param name="stream">The stream to read, which stays open.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <exception cref="ImageException">The bytes are no sound picture within the limit.</exception>
    public static Image Load(Stream stream, long maxPixels = DefaultMaxPixels) =>
        Decode(ImageFile.Read(stream), maxPixels, null);

    /// <summary>As <see cref="Load(string, long)"/>, from a file's bytes.</summary>
    /// <param name="bytes">The contents of a picture file.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <exception cref="ImageException">The bytes are no sound picture within the limit.</exception>
    public static Image Load(ReadOnlySpan<byte> bytes, long maxPixels = DefaultMaxPixels) =>
        Decode(bytes, maxPixels, null);

    /// <summary>
    /// As <see cref="Load(string, long)"/>: the file is read without a thread waiting for it, and decoded on the
    /// thread pool.
    /// </summary>
    /// <param name="path">The path of a picture file.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <param name="cancellationToken">Ends the reading; the decoding is not interrupted.</param>
    /// <inheritdoc cref="Load(string, long)" path="/exception"/>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<Image> LoadAsync(
        string path, long maxPixels = DefaultMaxPixels, CancellationToken cancellationToken = default)
    {
        byte[] bytes = await ImageFile.ReadAsync(path, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Decode(bytes, maxPixels, path), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// As <see cref="LoadAsync(string, long, CancellationToken)"/>, from the stream's position to its end.
    /// </summary>
    /// <param name="stream">The stream to read, which stays open.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <param name="cancellationToken">Ends the reading; the decoding is not interrupted.</param>
    /// <inheritdoc cref="Load(Stream, long)" path="/exception"/>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<Image> LoadAsync(
        Stream stream, long maxPixels = DefaultMaxPixels, CancellationToken cancellationToken = default)
    {
        byte[] bytes = await ImageFile.ReadAsync(stream, null, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Decode(bytes, maxPixels, null), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a file's header alone.</summary>
    /// <param name="path">The path of a picture file.</param>
    /// <exception cref="ImageException">The file is missing, or its header is no picture's.</exception>
    public static ImageInfo Probe(string path) => PictureDecoder.Probe(ImageFile.Read(path), path);

    /// <summary>As <see cref="Probe(string)"/>, from the stream's position to its end.</summary>
    /// <param name="stream">The stream to read, which stays open.</param>
    /// <exception cref="ImageException">The header is no picture's.</exception>
    public static ImageInfo Probe(Stream stream) => PictureDecoder.Probe(ImageFile.Read(stream), null);

    /// <summary>As <see cref="Probe(string)"/>, from a file's bytes.</summary>
    /// <param name="bytes">The contents of a picture file, or its beginning.</param>
    /// <exception cref="ImageException">The header is no picture's.</exception>
    public static ImageInfo Probe(ReadOnlySpan<byte> bytes) => PictureDecoder.Probe(bytes, null);

    /// <summary>Writes a JPEG of 4:2:0 chroma; it has no alpha, so that is dropped.</summary>
    /// <param name="path">The file's path; an existing file is overwritten.</param>
    /// <param name="quality">The quality, from 1 (small) to 100 (good).</param>
    /// <exception cref="ImageException">A side is longer than a JPEG's 65500.</exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public void SaveJpeg(string path, int quality = 90) =>
        EncodeJpeg(quality).Save(path);

    /// <summary>Writes a JPEG of 4:2:0 chroma to a stream.</summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="quality">The quality, from 1 (small) to 100 (good).</param>
    /// <exception cref="ImageException">A side is longer than a JPEG's 65500.</exception>
    public void SaveJpeg(Stream stream, int quality = 90) =>
        EncodeJpeg(quality).Save(stream);

    /// <summary>As <see cref="SaveJpeg(string, int)"/>, encoded on the thread pool.</summary>
    /// <inheritdoc cref="SaveJpeg(string, int)" path="/exception"/>
    /// <param name="path">The file's path; an existing file is overwritten.</param>
    /// <param name="quality">The quality, from 1 (small) to 100 (good).</param>
    /// <param name="cancellationToken">Is looked at before the encoding and before the file is written.</param>
    public Task SaveJpegAsync(string path, int quality = 90, CancellationToken cancellationToken = default) =>
        EncodedImage.SaveAsync(() => EncodeJpeg(quality), path, cancellationToken);

    /// <summary>As <see cref="SaveJpeg(Stream, int)"/>, encoded on the thread pool.</summary>
    /// <inheritdoc cref="SaveJpeg(Stream, int)" path="/exception"/>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="quality">The quality, from 1 (small) to 100 (good).</param>
    /// <param name="cancellationToken">Is looked at before the encoding and while the bytes are written.</param>
    public Task SaveJpegAsync(Stream stream, int quality = 90, CancellationToken cancellationToken = default) =>
        EncodedImage.SaveAsync(() => EncodeJpeg(quality), stream, cancellationToken);

    /// <summary>Writes a PNG of the picture's own channels.</summary>
    /// <param name="path">The file's path; an existing file is overwritten.</param>
    /// <param name="level">How hard zlib tries: 0 (fast, large) to 9 (slow, small).</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public void SavePng(string path, int level = 3) =>
        EncodePng(level).Save(path);

    /// <summary>Writes a PNG of the picture's own channels to a stream.</summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="level">How hard zlib tries: 0 (fast, large) to 9 (slow, small).</param>
    public void SavePng(Stream stream, int level = 3) =>
        EncodePng(level).Save(stream);

    /// <summary>As <see cref="SavePng(string, int)"/>, encoded on the thread pool.</summary>
    /// <inheritdoc cref="SavePng(string, int)" path="/exception"/>
    /// <param name="path">The file's path; an existing file is overwritten.</param>
    /// <param name="level">How hard zlib tries: 0 (fast, large) to 9 (slow, small).</param>
    /// <param name="cancellationToken">Is looked at before the encoding and before the file is written.</param>
    public Task SavePngAsync(string path, int level = 3, CancellationToken cancellationToken = default) =>
        EncodedImage.SaveAsync(() => EncodePng(level), path, cancellationToken);

    /// <summary>As <see cref="SavePng(Stream, int)"/>, encoded on the thread pool.</summary>
    /// <inheritdoc cref="SavePng(Stream, int)" path="/exception"/>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="level">How hard zlib tries: 0 (fast, large) to 9 (slow, small).</param>
    /// <param name="cancellationToken">Is looked at before the encoding and while the bytes are written.</param>
    public Task SavePngAsync(Stream stream, int level = 3, CancellationToken cancellationToken = default) =>
        EncodedImage.SaveAsync(() => EncodePng(level), stream, cancellationToken);

    private static Image Decode(ReadOnlySpan<byte> bytes, long maxPixels, string? name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        // Spans count bytes in 31 bits, and a pixel has up to 4.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, int.MaxValue / 4);
        (Image picture, string? warning) = PictureDecoder.Decode(bytes, maxPixels, name);
        picture.Warning = warning;
        return picture;
    }

    private EncodedImage EncodeJpeg(int quality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        const int longest = 65500;
        if (Width > longest || Height > longest)
            throw new ImageException(
                $"A JPEG's sides have at most {longest} pixels, this picture {Width} x {Height}; save a PNG.");
        using Image? plain = Format is PixelFormat.Grey or PixelFormat.Rgba or PixelFormat.Bgra
            ? null
            : this.WithChannels(Format == PixelFormat.GreyAlpha ? 1 : 4);
        return SkiaWriter.EncodeJpeg(plain ?? this, quality);
    }

    private EncodedImage EncodePng(int level)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9);
        using Image? plain = Format.IsBlueFirst() ? this.WithChannels(Channels) : null;
        Image picture = plain ?? this;
        PngColour colour = Channels switch
        {
            1 => PngColour.Grey,
            2 => PngColour.GreyAlpha,
            3 => PngColour.Rgb,
            _ => PngColour.Rgba,
        };
        using PixelLease held = picture.Lease();
        using var file = new PngWriter(Height, Width, colour, 8, [], level);
        for (int y = 0; y < Height; y++)
        {
            picture.Row(y).CopyTo(file.Row);
            file.WriteRow();
        }
        return file.End();
    }
}
