namespace Atrous.Imaging.Formats;

/// <summary>Finds out what a file is, and has it decoded.</summary>
internal static unsafe class PictureDecoder
{
    /// <summary>The picture, and a sentence about the file where there is something to say of it.</summary>
    /// <exception cref="ImageException">The bytes are no sound picture within the limit.</exception>
    /// <exception cref="MemoryException">There is no memory for it.</exception>
    public static (Image Picture, string? Warning) Decode(ReadOnlySpan<byte> bytes, long maxPixels, string? name) =>
        Read(bytes, name, file =>
        {
            ImageFormat format = FormatOf(file);
            switch (format)
            {
                case ImageFormat.Jpeg:
                    (Image photo, bool isCut) = JpegReader.Decode(file, maxPixels);
                    return (photo, Warning(isCut, isAnimated: false));
                case ImageFormat.Png:
                    using (var reader = new PngReader(file, maxPixels))
                        return (reader.Decode(), Warning(reader.LacksEnd, reader.IsAnimated));
                case ImageFormat.Tiff:
                    return TiffPictures.Decode(file, maxPixels);
                default:
                    (Image picture, bool lacksEnd, bool isAnimated) = SkiaFiles.Decode(file, format, maxPixels);
                    return (picture, Warning(lacksEnd, isAnimated));
            }
        });

    /// <summary>What the header says.</summary>
    /// <exception cref="ImageException">The bytes do not begin as a picture does.</exception>
    public static ImageInfo Probe(ReadOnlySpan<byte> bytes, string? name) => Read(bytes, name, static file =>
    {
        ImageFormat format = FormatOf(file);
        switch (format)
        {
            case ImageFormat.Jpeg:
                return JpegFrame.Read(file.Slice(0, (int)file.Length)).Info;
            case ImageFormat.Png:
                using (var reader = new PngReader(file, long.MaxValue))
                    return reader.Info;
            case ImageFormat.Tiff:
                return TiffPictures.Probe(file);
            default:
                return SkiaFiles.Probe(file, format);
        }
    });

    /// <summary>
    /// The numbers that a PNG or TIFF of grey or a palette holds, and the levels of a GIF, a BMP or a PNG of colours
    /// that has no other colours than greys.
    /// </summary>
    /// <exception cref="ImageException">The bytes are no sound label map within the limit.</exception>
    public static (ushort[] Labels, ImageInfo Info, bool LacksEnd) DecodeLabels(
        ReadOnlySpan<byte> bytes, long maxPixels, string? name) => Read(bytes, name, file =>
        {
            ImageFormat format = FormatOf(file);
            if (format == ImageFormat.Tiff)
            {
                (ushort[] numbers, ImageInfo size) = TiffPictures.DecodeLabels(file, maxPixels);
                return (numbers, size, false);
            }
            if (format is ImageFormat.Gif or ImageFormat.Bmp)
            {
                (Image picture, bool isCut, _) = SkiaFiles.Decode(file, format, maxPixels);
                using (picture)
                    return (Levels(picture, format), new(picture.Height, picture.Width, 1, format), isCut);
            }
            if (format != ImageFormat.Png)
            {
                throw new ImageException(
                    $"a {NameOf(format)} does not keep classes exactly; save the label map as palette or grey PNG.");
            }
            using var reader = new PngReader(file, maxPixels);
            if (reader.Header.Colour is PngColour.Rgb or PngColour.Rgba && reader.Header.Depth == 8)
            {
                using Image picture = reader.Decode();
                return (Levels(picture, format), new(picture.Height, picture.Width, 1, format), reader.LacksEnd);
            }
            (ushort[] labels, ImageInfo info) = reader.DecodeLabels();
            return (labels, info, reader.LacksEnd);
        });

    /// <summary>
    /// The level of every pixel. Such files say colours, and the number of a palette's entry is not what their readers
    /// see; greys, most often black and white, are numbers all the same.
    /// </summary>
    private static ushort[] Levels(Image picture, ImageFormat format)
    {
        int channels = picture.Channels;
        ReadOnlySpan<byte> pixels = picture.Pixels;
        var labels = new ushort[picture.Height * picture.Width];
        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<byte> pixel = pixels.Slice(i * channels, channels);
            bool isGrey = channels < 3 || (pixel[0] == pixel[1] && pixel[1] == pixel[2]);
            bool isClear = channels is 2 or 4 && pixel[^1] != byte.MaxValue;
            if (!isGrey || isClear)
            {
                throw new ImageException(
                    $"the {NameOf(format)} holds {(isClear ? "transparent pixels" : "colours")}, a label map one class "
                    + "per pixel; save it as palette or grey PNG.");
            }
            labels[i] = pixel[0];
        }
        return labels;
    }

    /// <summary>A format as people write it.</summary>
    public static string NameOf(ImageFormat format) =>
        format == ImageFormat.WebP ? "WebP" : format.ToString().ToUpperInvariant();

    /// <summary>
    /// Bytes that a channel of a file's picture takes in memory, or that it may take while it is decoded.
    /// </summary>
    /// <exception cref="ImageException">The file is a broken JPEG.</exception>
    public static int MostBytesPerChannel(ReadOnlySpan<byte> file)
    {
        const int pngDepth = 24;
        return PngReader.IsPng(file) ? (file.Length > pngDepth && file[pngDepth] == 16 ? 2 : 1)
            // Two that stay, and a strip that may be all of the picture.
            : TiffReader.IsTiff(file) ? 4
            // Of inks four components' coefficients become three channels.
            : JpegReader.IsJpeg(file) ? (JpegFrame.Read(file).HoldsCoefficients ? 4 : 1)
            : 1;
    }

    /// <summary>The format that a file's first bytes are of; null where they are of none that is read.</summary>
    public static ImageFormat? Recognise(ReadOnlySpan<byte> file) =>
        JpegReader.IsJpeg(file) ? ImageFormat.Jpeg
        : PngReader.IsPng(file) ? ImageFormat.Png
        : TiffReader.IsTiff(file) ? ImageFormat.Tiff
        : SkiaFiles.FormatOf(file);

    private static ImageFormat FormatOf(FileBytes file)
    {
        const int mostNeeded = 32;
        if (file.Length == 0)
            throw new ImageException("the file is empty; send a JPEG or PNG.");
        return Recognise(file.Slice(0, (int)Math.Min(file.Length, mostNeeded))) ?? throw new ImageException(
            "this is neither a JPEG nor a PNG, WebP, GIF, BMP or TIFF; convert it to one.");
    }

    /// <summary>As <see cref="Image.Warning"/>.</summary>
    public static string? Warning(bool lacksEnd, bool isAnimated) => (lacksEnd, isAnimated) switch
    {
        (true, true) => $"{Image.IsAnimated} {Image.LacksEnd}",
        (true, _) => Image.LacksEnd,
        (_, true) => Image.IsAnimated,
        _ => null,
    };

    /// <summary>Has a file read, and puts its name before what is wrong with it.</summary>
    private static T Read<T>(ReadOnlySpan<byte> bytes, string? name, Func<FileBytes, T> read)
    {
        try
        {
            fixed (byte* start = bytes)
                return read(new FileBytes(start, bytes.Length));
        }
        catch (ImageException e) when (name is not null)
        {
            throw new ImageException($"{name}: {e.Message}", e) { Remedy = e.Remedy };
        }
        catch (OutOfMemoryException e)
        {
            throw new MemoryException("Memory ran out; use a smaller picture or batch, or free memory.", e);
        }
    }
}
