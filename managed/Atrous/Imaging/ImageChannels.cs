namespace Atrous.Imaging;

/// <summary>From one channel count to another, as Pillow's convert does.</summary>
public static class ImageChannels
{
    /// <summary>
    /// A new picture of so many channels, red first and with packed rows: grey is repeated, alpha dropped (or added,
    /// opaque), colours become grey by their ITU-R 601 luma, rounded as Pillow rounds it. The caller disposes it.
    /// </summary>
    /// <param name="image">The picture, which is not changed.</param>
    /// <param name="channels">The number of channels: 1 for grey, 2 for grey and alpha, 3 for RGB, 4 for RGBA.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="channels"/> is not 1 to 4.</exception>
    public static Image WithChannels(this Image image, int channels)
    {
        ArgumentNullException.ThrowIfNull(image);
        var result = new Image(image.Height, image.Width, channels);
        bool same = image.Channels == channels && !image.Format.IsBlueFirst();
        for (int y = 0; y < image.Height; y++)
        {
            if (same)
                image.Row(y).CopyTo(result.Row(y));
            else
                Convert(image.Row(y), image.Format, result.Row(y), channels);
        }
        if (image.Samples is { } samples && image.Bands == 3 && channels == 1)
            result.Samples = Luma(samples);
        if (image.Lower is not { } lower)
            return result;
        bool toGrey = image.Channels >= 3 && channels < 3;
        // Channels that only move keep both halves; the luma is one number of 16 bits.
        result.Lower = lower.WithChannels(channels);
        for (int y = 0; y < image.Height && toGrey; y++)
            ConvertToGrey(image.Row(y), lower.Row(y), image.Format, result.Row(y), result.Lower.Row(y), channels);
        return result;
    }

    private static void ConvertToGrey(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> fromLower, PixelFormat format, Span<byte> to, Span<byte> toLower,
        int channels)
    {
        int step = format.Channels(), red = format.IndexOf(0), blue = format.IndexOf(2);
        for (int at = 0, target = 0; target < to.Length; at += step, target += channels)
        {
            uint luma = (Whole(from, fromLower, at + red) * 19595 + Whole(from, fromLower, at + 1) * 38470
                + Whole(from, fromLower, at + blue) * 7471 + 0x8000) >> 16;
            (to[target], toLower[target]) = ((byte)(luma >> 8), (byte)luma);
        }

        static uint Whole(ReadOnlySpan<byte> upper, ReadOnlySpan<byte> lower, int at) =>
            (uint)upper[at] << 8 | lower[at];
    }

    private static void Convert(ReadOnlySpan<byte> from, PixelFormat format, Span<byte> to, int channels)
    {
        int step = format.Channels(), red = format.IndexOf(0), blue = format.IndexOf(2);
        bool colourIn = step >= 3, colourOut = channels >= 3, alphaIn = step % 2 == 0, alphaOut = channels % 2 == 0;
        for (; to.Length > 0; from = from[step..], to = to[channels..])
        {
            if (colourIn && !colourOut)
                to[0] = Luma(from[red], from[1], from[blue]);
            else if (colourOut)
                (to[0], to[1], to[2]) = colourIn ? (from[red], from[1], from[blue]) : (from[0], from[0], from[0]);
            else
                to[0] = from[0];
            if (alphaOut)
                to[channels - 1] = alphaIn ? from[step - 1] : byte.MaxValue;
        }
    }

    private static float[] Luma(float[] samples)
    {
        float[] grey = new float[samples.Length / 3];
        for (int i = 0; i < grey.Length; i++)
        {
            grey[i] = (samples[3 * i] * 19595 + samples[3 * i + 1] * 38470 + samples[3 * i + 2] * 7471)
                / (ushort.MaxValue + 1);
        }
        return grey;
    }

    private static byte Luma(byte red, byte green, byte blue) =>
        (byte)((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}
