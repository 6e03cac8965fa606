namespace Atrous.Imaging.Formats;

/// <summary>One component of a JPEG: brightness, a colour difference, an ink.</summary>
/// <param name="Id">The number by which scans name it.</param>
/// <param name="Across">Its blocks of 8 x 8 in a row of an interleaved unit.</param>
/// <param name="Down">Its rows of blocks in one.</param>
/// <param name="Table">The number of its quantization table.</param>
internal sealed record JpegComponent(byte Id, int Across, int Down, byte Table);

/// <summary>How a JPEG's samples are coded.</summary>
internal enum JpegCoding
{
    Sequential,
    Progressive,
    Arithmetic,
}

/// <summary>What a JPEG says of its picture before the first scan.</summary>
internal sealed class JpegFrame
{
    private const int Jfif = 0xE0, Exif = 0xE1, Adobe = 0xEE, AdobeTransform = 11;

    private JpegFrame(
        ReadOnlySpan<byte> segment, byte marker, int inScan, int orientation, bool isJfif, int? transform)
    {
        const int fixedSize = 6;
        if (segment.Length < fixedSize || segment.Length < fixedSize + 3 * segment[5])
            throw JpegReader.CutOff();
        if (segment[0] != 8)
            throw JpegReader.Unreadable($"it has {segment[0]} bits per sample");
        Coding = marker switch
        {
            0xC0 or 0xC1 => JpegCoding.Sequential,
            0xC2 => JpegCoding.Progressive,
            0xC9 or 0xCA => JpegCoding.Arithmetic,
            _ => throw JpegReader.Unreadable($"its coding, number {marker - 0xC0}, is not in use"),
        };
        Height = segment[1] << 8 | segment[2];
        Width = segment[3] << 8 | segment[4];
        if (Height == 0 || Width == 0)
            throw JpegReader.Unreadable("its sides are impossible");
        Components = new JpegComponent[segment[5]];
        if (Components.Length is not (1 or 3 or 4))
            throw JpegReader.Unreadable($"it has {Components.Length} components");
        for (int i = 0; i < Components.Length; i++)
        {
            byte factors = segment[fixedSize + 3 * i + 1];
            var component = new JpegComponent(
                segment[fixedSize + 3 * i], factors >> 4, factors & 15, segment[fixedSize + 3 * i + 2]);
            if (component.Across is 0 or > 4 || component.Down is 0 or > 4)
                throw JpegReader.Unreadable("its sampling factors make no sense");
            // The factors of one that is alone mean nothing.
            Components[i] = Components.Length == 1 ? component with { Across = 1, Down = 1 } : component;
        }
        HoldsCoefficients = marker is 0xC2 or 0xCA || inScan != Components.Length;
        Orientation = orientation;
        Colour = ColourOf(isJfif, transform);
    }

    public int Height { get; }

    public int Width { get; }

    public JpegCoding Coding { get; }

    public JpegComponent[] Components { get; }

    /// <summary>
    /// No scan has all of the picture, so that all coefficients are held until the last one: two bytes of each, of a
    /// component up to one for each pixel.
    /// </summary>
    public bool HoldsCoefficients { get; }

    /// <summary>As EXIF before the pixels says; 1 where there is none.</summary>
    public int Orientation { get; }

    /// <summary>What the components mean, guessed as libjpeg guesses it.</summary>
    public JpegColour Colour { get; }

    /// <summary>Channels of a pixel as a picture has them.</summary>
    public int Channels => Components.Length == 1 ? 1 : 3;

    public ImageInfo Info => Turning.SwapsSides(Orientation)
        ? new ImageInfo(Width, Height, Channels, ImageFormat.Jpeg)
        : new ImageInfo(Height, Width, Channels, ImageFormat.Jpeg);

    /// <summary>Reads a JPEG up to its first scan.</summary>
    /// <exception cref="ImageException">The file ends before it, or is none that can be read.</exception>
    public static JpegFrame Read(ReadOnlySpan<byte> file)
    {
        int? orientation = null, transform = null;
        bool isJfif = false;
        int inScan = 0;
        (byte Marker, int At, int Size)? frame = null;
        var segments = new JpegSegments(file, JpegReader.SignatureSize);
        while (segments.Marker is not (JpegSegments.Scan or JpegSegments.End))
        {
            if (!segments.TryNext())
                throw JpegReader.CutOff();
            byte marker = segments.Marker;
            // XMP shares the marker with EXIF, and says so in its first bytes.
            if (marker == Exif && segments.Data.Length >= 6 && segments.Data.StartsWith("Exif\0"u8))
                orientation ??= Turning.OfExif(segments.Data);
            isJfif |= marker == Jfif && segments.Data.StartsWith("JFIF\0"u8);
            if (marker == Adobe && segments.Data.Length > AdobeTransform && segments.Data.StartsWith("Adobe"u8))
                transform = segments.Data[AdobeTransform];
            if (marker == JpegSegments.Scan && !segments.Data.IsEmpty)
                inScan = segments.Data[0];
            if (JpegSegments.IsFrame(marker))
            {
                if (frame is not null)
                    throw JpegReader.Unreadable("it has two headers");
                frame = (marker, segments.At, segments.Data.Length);
            }
        }
        return frame is { } found
            ? new JpegFrame(
                file.Slice(found.At, found.Size), found.Marker, inScan, orientation ?? Turning.Upright, isJfif,
                transform)
            : throw JpegReader.Unreadable("it has no header");
    }

    private JpegColour ColourOf(bool isJfif, int? transform)
    {
        if (Components.Length == 1)
            return JpegColour.Grey;
        if (Components.Length == 4)
            return transform is null or 0 ? JpegColour.Inks : JpegColour.LumaInks;
        bool namedRgb = (Components[0].Id, Components[1].Id, Components[2].Id) == ('R', 'G', 'B');
        return !isJfif && (transform == 0 || (transform is null && namedRgb)) ? JpegColour.Rgb : JpegColour.Luma;
    }
}
