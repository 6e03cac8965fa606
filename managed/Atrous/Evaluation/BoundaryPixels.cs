namespace Atrous.Evaluation;

/// <summary>Which pixels of a label map lie on a boundary, or near one.</summary>
internal static class BoundaryPixels
{
    /// <summary>
    /// True where a square around the pixel, of so many pixels to each side, has another label or reaches beyond the
    /// map.
    /// </summary>
    public static bool[] Band(ReadOnlySpan<ushort> labels, int height, int width, int distance)
    {
        // A square of one label is a column of rows that are each of one label, and the same one.
        var uniform = new bool[labels.Length];
        for (int y = 0; y < height; y++)
        {
            int run = 0;
            for (int x = 0; x < width; x++)
            {
                int at = y * width + x;
                run = x > 0 && labels[at] == labels[at - 1] ? run + 1 : 1;
                if (run > 2 * distance)
                    uniform[at - distance] = true;
            }
        }
        var band = new bool[labels.Length];
        Array.Fill(band, true);
        for (int x = 0; x < width; x++)
        {
            int run = 0;
            for (int y = 0; y < height; y++)
            {
                int at = y * width + x;
                run = !uniform[at] ? 0 : y > 0 && labels[at] == labels[at - width] ? run + 1 : 1;
                if (run > 2 * distance)
                    band[at - distance * width] = false;
            }
        }
        return band;
    }

    /// <summary>
    /// The pixels of each class that have one of another beside them. What the truth ignores is neither.
    /// </summary>
    public static List<int>[] Lines(
        ReadOnlySpan<ushort> labels, ReadOnlySpan<ushort> truth, int height, int width, int classes, int? ignore)
    {
        var lines = new List<int>[classes];
        for (int label = 0; label < classes; label++)
            lines[label] = [];
        for (int y = 0, at = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, at++)
            {
                ushort label = labels[at];
                if (label >= classes || truth[at] == ignore)
                    continue;
                if ((x > 0 && IsOther(labels, truth, at - 1, label, ignore))
                    || (x < width - 1 && IsOther(labels, truth, at + 1, label, ignore))
                    || (y > 0 && IsOther(labels, truth, at - width, label, ignore))
                    || (y < height - 1 && IsOther(labels, truth, at + width, label, ignore)))
                    lines[label].Add(at);
            }
        }
        return lines;
    }

    /// <summary>True where one of the pixels is no farther away than a distance.</summary>
    public static bool[] Within(List<int> pixels, int height, int width, double distance)
    {
        var near = new bool[height * width];
        int reach = (int)distance;
        int[] half = [.. Enumerable.Range(0, reach + 1).Select(row => (int)Math.Sqrt(distance * distance - row * row))];
        foreach (int pixel in pixels)
        {
            (int y, int x) = Math.DivRem(pixel, width);
            for (int row = Math.Max(0, y - reach); row <= Math.Min(height - 1, y + reach); row++)
            {
                int side = half[Math.Abs(row - y)], first = Math.Max(0, x - side);
                near.AsSpan(row * width + first, Math.Min(width - 1, x + side) - first + 1).Fill(true);
            }
        }
        return near;
    }

    private static bool IsOther(
        ReadOnlySpan<ushort> labels, ReadOnlySpan<ushort> truth, int at, ushort label, int? ignore) =>
        labels[at] != label && truth[at] != ignore;
}
