using Atrous.Imaging;

namespace Atrous.Postprocessing;

/// <summary>Lines along the edges of classes.</summary>
internal static class MaskOutlines
{
    private const int PixelsPerLine = 300;

    /// <summary>
    /// The photo, RGB, with the pixels next to another class in the colour of their own; of a class that is left clear
    /// none. Lines are wider on larger pictures.
    /// </summary>
    /// <param name="photo">A picture of any number of channels.</param>
    /// <param name="labels">One class per pixel of the photo, row by row.</param>
    /// <param name="palette">The colours of the classes.</param>
    /// <param name="clearLabel">A class that has no line; null for none.</param>
    /// <param name="noDataLabel">A label that is no class, and has no line; null for none.</param>
    public static Image Draw(
        Image photo, ReadOnlySpan<ushort> labels, Palette palette, int? clearLabel, int? noDataLabel)
    {
        (int height, int width) = (photo.Height, photo.Width);
        LabelMap.Check(labels, height, width);
        int reach = 1 + Math.Min(height, width) / PixelsPerLine;
        Image result = photo.WithChannels(3);
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = result.Row(y);
            for (int x = 0; x < width; x++)
            {
                int label = labels[y * width + x];
                if (label == clearLabel || label == noDataLabel || !IsNearOther(labels, height, width, y, x, reach))
                    continue;
                (row[3 * x], row[3 * x + 1], row[3 * x + 2]) = palette[label];
            }
        }
        return result;
    }

    private static bool IsNearOther(ReadOnlySpan<ushort> labels, int height, int width, int y, int x, int reach)
    {
        ushort label = labels[y * width + x];
        int left = Math.Max(x - reach, 0), right = Math.Min(x + reach, width - 1);
        if (labels[(y * width + left)..(y * width + right + 1)].ContainsAnyExcept(label))
            return true;
        for (int other = Math.Max(y - reach, 0); other <= Math.Min(y + reach, height - 1); other++)
        {
            if (labels[other * width + x] != label)
                return true;
        }
        return false;
    }
}
