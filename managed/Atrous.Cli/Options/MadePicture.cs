using Atrous.Imaging;

namespace Atrous.Cli.Options;

/// <summary>
/// A picture for commands that are given none: soft shading, hard-edged discs, fine texture and a sensor's noise. The
/// same bytes every time.
/// </summary>
internal static class MadePicture
{
    private const int Discs = 12;

    /// <summary>Made for a model; the caller disposes it.</summary>
    /// <param name="height">The picture's height in pixels.</param>
    /// <param name="width">The picture's width in pixels.</param>
    /// <param name="channels">How many channels the model takes; the picture has as many, and at most 4.</param>
    public static Image Of(int height, int width, int channels)
    {
        var picture = new Image(height, width, Math.Min(channels, 4));
        Span<byte> pixels = picture.Pixels;
        var random = new Random(1);
        int at = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int c = 0; c < picture.Channels; c++)
                    pixels[at++] = (byte)Math.Clamp(
                        Value((double)y / height, (double)x / width, c) + 6 * random.NextDouble() - 3, 0, 255);
            }
        }
        return picture;
    }

    private static double Value(double y, double x, int channel)
    {
        double value = 90 + 60 * y + 25 * Math.Sin(7 * x + channel) * Math.Cos(5 * y)
            + 6 * Math.Sin(190 * x) * Math.Sin(170 * y);
        for (int disc = 0; disc < Discs; disc++)
        {
            double dx = x - 0.08 * disc, dy = y - 0.5 - 0.4 * Math.Sin(2.1 * disc);
            if (dx * dx + dy * dy < 0.008)
                value += (disc * 53 + channel * 97) % 120 - 60;
        }
        return value;
    }
}
