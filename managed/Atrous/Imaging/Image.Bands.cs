namespace Atrous.Imaging;

/// <content>Pictures of any number of bands.</content>
public sealed unsafe partial class Image
{
    /// <summary>
    /// A picture of any number of bands, such as an aerial or a satellite's, for networks that were trained on so many.
    /// Its bytes show the first three, or the first of less, rounded; networks get the numbers as they are.
    /// </summary>
    /// <param name="samples">
    /// The numbers, pixel by pixel, row by row from the top, on the scale of a byte: what a network was trained to see
    /// as 1 of pixels from 0 to 1 is 255 here. They are copied.
    /// </param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="bands">The number of bands of a pixel, at least 1.</param>
    /// <exception cref="ArgumentException">
    /// There are not height * width * bands numbers, or one is infinite or no number.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A side or the number of bands is below 1 or too large.</exception>
    public static Image FromBands(ReadOnlySpan<float> samples, int height, int width, int bands)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bands, 1);
        CheckSize(height, width, 3);
        if (samples.Length != (long)height * width * bands)
        {
            throw new ArgumentException(
                $"{width} x {height} pixels of {bands} bands are {(long)height * width * bands} numbers, not "
                + $"{samples.Length}.", nameof(samples));
        }
        foreach (float sample in samples)
        {
            if (!float.IsFinite(sample))
                throw new ArgumentException($"{sample} is no number that a network can take.", nameof(samples));
        }
        return OfBands(samples.ToArray(), height, width, bands);
    }

    /// <summary>The same of finite numbers, which are kept.</summary>
    internal static Image OfBands(float[] samples, int height, int width, int bands)
    {
        int channels = bands < 3 ? 1 : 3;
        var image = new Image(height, width, channels) { Samples = samples };
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = image.Row(y);
            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < channels; c++)
                    row[x * channels + c] = ToByte(samples[((long)y * width + x) * bands + c]);
            }
        }
        return image;
    }

    /// <summary>The nearest byte.</summary>
    internal static byte ToByte(float sample) => (byte)Math.Clamp(MathF.Round(sample), 0, byte.MaxValue);
}
