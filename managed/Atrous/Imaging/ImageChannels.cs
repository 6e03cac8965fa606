namespace Atrous.Imaging;

/// <summary>From one channel count to another, as Pillow's convert does.</summary>
public static class ImageChannels
{
    /// <summary>
    /// A new picture of so many channels: grey is repeated, alpha dropped (or added, opaque), colours become grey by
    /// their ITU-R 601 luma, rounded as Pillow rounds it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="channels"/> is not 1 to 4.</exception>
    public static Image WithChannels(this Image image, int channels)
    {
        ArgumentNullException.ThrowIfNull(image);
        var result = new Image(image.Width, image.Height, channels);
        Span<byte> to = result.Pixels;
        ReadOnlySpan<byte> from = image.Pixels;
        int step = image.Channels;
        if (step == channels)
        {
            from.CopyTo(to);
            return result;
        }
        bool colourIn = step >= 3, colourOut = channels >= 3, alphaIn = step % 2 == 0, alphaOut = channels % 2 == 0;
        for (; to.Length > 0; from = from[step..], to = to[channels..])
        {
            if (colourIn && !colourOut)
                to[0] = Luma(from[0], from[1], from[2]);
            else if (colourOut)
                (to[0], to[1], to[2]) = colourIn ? (from[0], from[1], from[2]) : (from[0], from[0], from[0]);
            else
                to[0] = from[0];
            if (alphaOut)
                to[channels - 1] = alphaIn ? from[step - 1] : byte.MaxValue;
        }
        return result;
    }

    private static byte Luma(byte red, byte green, byte blue) =>
        (byte)((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}
