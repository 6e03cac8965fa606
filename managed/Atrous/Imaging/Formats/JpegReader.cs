namespace Atrous.Imaging.Formats;

/// <summary>JPEG files.</summary>
internal static class JpegReader
{
    /// <summary>Bytes of the mark with which a file begins.</summary>
    public const int SignatureSize = 2;

    public static bool IsJpeg(ReadOnlySpan<byte> file) => file.StartsWith<byte>([0xFF, 0xD8, 0xFF]);

    public static ImageException CutOff() => new("the JPEG ends early; send the whole file.");

    public static ImageException Unreadable(string reason) =>
        new($"the JPEG cannot be read ({reason}); use a sound file with 8 bits per sample.");

    /// <summary>The picture as it is meant to be seen, and whether the file stops before its end mark.</summary>
    public static (Image Picture, bool LacksEnd) Decode(FileBytes file, long maxPixels)
    {
        JpegFrame frame = JpegFrame.Read(file.Slice(0, (int)file.Length));
        PictureLimits.Check(frame.Height, frame.Width, maxPixels);
        (Image stored, bool lacksEnd) = frame.Coding == JpegCoding.Arithmetic
            ? (DecodeArithmetic(file, frame), false)
            : JpegDecoder.Decode(file, frame);
        return (Turning.Apply(stored, frame.Orientation), lacksEnd);
    }

    /// <summary>
    /// Hardly any file is coded so; Skia reads them. It goes on with zeros where bytes are missing, so that only the
    /// end mark shows that none is.
    /// </summary>
    private static Image DecodeArithmetic(FileBytes file, JpegFrame frame)
    {
        ReadOnlySpan<byte> bytes = file.Slice(0, (int)file.Length);
        var segments = new JpegSegments(bytes, SignatureSize);
        while (segments.Marker != JpegSegments.End)
        {
            if (!segments.TryNext())
                throw CutOff();
        }
        return SkiaReader.DecodeRows(file, frame.Height, frame.Width, frame.Channels)
            ?? throw Unreadable("its data are damaged");
    }
}
