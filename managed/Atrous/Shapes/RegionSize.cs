namespace Atrous.Shapes;

/// <summary>What the regions of a mask take in memory, found out without making them.</summary>
internal static class RegionSize
{
    /// <summary>Of a pixel: the number of its part, and which of its edges were followed.</summary>
    private const int BytesOfPixel = 6;

    /// <summary>Of a corner: in a line, in the ring that it becomes, and in an answer.</summary>
    private const int BytesOfCorner = 250;

    /// <summary>Of a line's end at a node: half a line, its two entries by start, half a part.</summary>
    private const int BytesOfEnd = 450;

    /// <summary>Bytes while they are found and held, roughly.</summary>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="cancellationToken">Is looked at between two rows.</param>
    public static long Of(ReadOnlySpan<ushort> labels, int height, int width, CancellationToken cancellationToken)
    {
        long bytes = BytesOfPixel * (long)width * height;
        for (int y = 0; y <= height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            bytes += OfRow(labels, height, width, y);
        }
        return bytes;
    }

    /// <summary>Of the points between row y - 1 and row y.</summary>
    private static long OfRow(ReadOnlySpan<ushort> labels, int height, int width, int y)
    {
        const int outside = -1;
        ReadOnlySpan<ushort> above = y > 0 ? labels.Slice((y - 1) * width, width) : [];
        ReadOnlySpan<ushort> below = y < height ? labels.Slice(y * width, width) : [];
        long bytes = 0;
        int aboveLeft = outside, belowLeft = outside;
        for (int x = 0; x <= width; x++)
        {
            int aboveRight = x < width && y > 0 ? above[x] : outside;
            int belowRight = x < width && y < height ? below[x] : outside;
            bool north = aboveLeft != aboveRight, south = belowLeft != belowRight;
            bool west = aboveLeft != belowLeft, east = aboveRight != belowRight;
            int edges = (north ? 1 : 0) + (south ? 1 : 0) + (west ? 1 : 0) + (east ? 1 : 0);
            bytes += edges > 2 ? edges * BytesOfEnd : edges == 2 && north != south ? BytesOfCorner : 0;
            (aboveLeft, belowLeft) = (aboveRight, belowRight);
        }
        return bytes;
    }
}
