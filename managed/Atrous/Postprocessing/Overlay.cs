using Atrous.Imaging;

namespace Atrous.Postprocessing;

/// <summary>Label maps as pictures for people.</summary>
public static class Overlay
{
    /// <summary>The photo with each pixel's class colour blended over it, RGB.</summary>
    /// <param name="photo">Any channel count; alpha is ignored.</param>
    /// <param name="labels">One class per pixel of the photo, row by row.</param>
    /// <param name="palette">The colours of the classes; a class beyond the last colour starts over.</param>
    /// <param name="opacity">The opacity of the colours: 0 shows the photo alone, 1 the colours alone.</param>
    /// <param name="clearLabel">
    /// A class that is left as it is in the photo (0 where that is the background); null for none.
    /// </param>
    /// <exception cref="ArgumentException">The label map is not of the photo's size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The opacity is not between 0 and 1.</exception>
    public static Image Draw(
        Image photo, ReadOnlySpan<ushort> labels, Palette palette, double opacity = 0.6, int? clearLabel = null) =>
        Draw(photo, labels, palette, opacity, clearLabel, noDataLabel: null);

    /// <summary>The same where another label is no class, and is left as it is in the photo too.</summary>
    internal static Image Draw(
        Image photo, ReadOnlySpan<ushort> labels, Palette palette, double opacity, int? clearLabel, int? noDataLabel)
    {
        ArgumentNullException.ThrowIfNull(photo);
        ArgumentNullException.ThrowIfNull(palette);
        if (!(opacity is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(opacity), opacity, "The opacity lies between 0 and 1.");
        LabelMap.Check(labels, photo.Height, photo.Width);

        int weight = (int)Math.Round(opacity * 256);
        Span<ushort> colours = LabelMap.Premultiply(palette, weight);
        int rest = 256 - weight, clear = clearLabel ?? -1, noData = noDataLabel ?? -1;
        Image result = photo.WithChannels(3);
        Span<byte> pixels = result.Pixels;
        int count = palette.Colours.Count;
        for (int i = 0, at = 0; i < labels.Length; i++, at += 3)
        {
            int label = labels[i];
            if (label == clear || label == noData)
                continue;
            if (label >= count)
                label %= count;
            ReadOnlySpan<ushort> colour = colours.Slice(label * 3, 3);
            Span<byte> pixel = pixels.Slice(at, 3);
            pixel[0] = (byte)(pixel[0] * rest + colour[0] >> 8);
            pixel[1] = (byte)(pixel[1] * rest + colour[1] >> 8);
            pixel[2] = (byte)(pixel[2] * rest + colour[2] >> 8);
        }
        return result;
    }

    /// <summary>The class colours alone, RGB.</summary>
    /// <param name="labels">The class of each pixel, row by row.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="palette">The colour of each class.</param>
    /// <exception cref="ArgumentException">There are not height * width labels.</exception>
    public static Image Colours(ReadOnlySpan<ushort> labels, int height, int width, Palette palette)
    {
        using var black = new Image(height, width, PixelFormat.Grey);
        return Draw(black, labels, palette, opacity: 1);
    }
}
