namespace Atrous.Imaging.Formats;

/// <summary>Finds out what a file is, and has it decoded.</summary>
internal static unsafe class PictureDecoder
{
    /// <exception cref="ImageException">The bytes are no sound picture within the limit.</exception>
    /// <exception cref="MemoryException">There is no memory for it.</exception>
    public static (Image Picture, bool LacksEnd) Decode(ReadOnlySpan<byte> bytes, long maxPixels, string? name) =>
        Read(bytes, name, file => IsJpeg(file) ? JpegReader.Decode(file, maxPixels) : DecodePng(file, maxPixels));

    /// <summary>What the header says.</summary>
    /// <exception cref="ImageException">The bytes do not begin as a picture does.</exception>
    public static ImageInfo Probe(ReadOnlySpan<byte> bytes, string? name) => Read(bytes, name, static file =>
    {
        if (IsJpeg(file))
            return JpegFrame.Read(file.Slice(0, (int)file.Length)).Info;
        using var reader = new PngReader(file, long.MaxValue);
        return reader.Info;
    });

    /// <summary>The numbers that a PNG of grey or a palette holds.</summary>
    /// <exception cref="ImageException">The bytes are no sound label map within the limit.</exception>
    public static (ushort[] Labels, ImageInfo Info, bool LacksEnd) DecodeLabels(
        ReadOnlySpan<byte> bytes, long maxPixels, string? name) => Read(bytes, name, file =>
        {
            if (IsJpeg(file))
            {
                throw new ImageException(
                    "a JPEG does not keep classes exactly; save the label map as palette or grey PNG.");
            }
            using var reader = new PngReader(file, maxPixels);
            (ushort[] labels, ImageInfo info) = reader.DecodeLabels();
            return (labels, info, reader.LacksEnd);
        });

    private static bool IsJpeg(FileBytes file)
    {
        ReadOnlySpan<byte> bytes = file.Slice(0, (int)file.Length);
        if (bytes.IsEmpty)
            throw new ImageException("the file is empty; send a JPEG or PNG.");
        bool isJpeg = JpegReader.IsJpeg(bytes);
        return isJpeg || PngReader.IsPng(bytes)
            ? isJpeg
            : throw new ImageException("this is neither a JPEG nor a PNG; convert it to one.");
    }

    private static (Image Picture, bool LacksEnd) DecodePng(FileBytes file, long maxPixels)
    {
        using var reader = new PngReader(file, maxPixels);
        return (reader.Decode(), reader.LacksEnd);
    }

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
