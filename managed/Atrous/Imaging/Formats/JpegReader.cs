namespace Atrous.Imaging.Formats;

/// <summary>JPEG files. Skia decodes them; this looks beside it whether all their pixels are there.</summary>
internal static unsafe class JpegReader
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
        ReadOnlySpan<byte> bytes = file.Slice(0, (int)file.Length), end = [0xFF, JpegSegments.End];
        JpegFrame frame = JpegFrame.Read(bytes);
        PictureLimits.Check(frame.Height, frame.Width, maxPixels);
        if (bytes.EndsWith(end) || !JpegScans.LackEnd(file, frame))
            return (Decode(file, frame, check: bytes.EndsWith(end)), false);
        // Skia wants the mark, or it takes the last pixels for missing.
        byte[] whole = [.. bytes, .. end];
        fixed (byte* start = whole)
            return (Decode(new FileBytes(start, whole.Length), frame, check: false), true);
    }

    private static Image Decode(FileBytes file, JpegFrame frame, bool check)
    {
        // It takes less time than the decoding, which one core does: on two it costs nothing.
        Task sound = check ? Task.Run(() => JpegScans.LackEnd(file, frame)) : Task.CompletedTask;
        Image? stored = null;
        try
        {
            stored = SkiaReader.DecodeRows(file, frame.Height, frame.Width, frame.Channels);
            sound.GetAwaiter().GetResult();
            return Turning.Apply(stored ?? throw Unreadable("its data are damaged"), frame.Orientation);
        }
        catch
        {
            // The bytes may go once this returns.
            sound.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
            stored?.Dispose();
            throw;
        }
    }
}
