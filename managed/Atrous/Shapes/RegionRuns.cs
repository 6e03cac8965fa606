using Atrous.Postprocessing;

namespace Atrous.Shapes;

/// <summary>A region's pixels: those whose centres its lines enclose an odd number of times.</summary>
internal static class RegionRuns
{
    /// <summary>The region's pixels column by column: the column, its first row and the one after its last.</summary>
    /// <param name="region">The region, exact or simplified.</param>
    public static IEnumerable<(int X, int Top, int Bottom)> Columns(Region region)
    {
        (int left, _, int columns, _) = region.Bounds;
        var crossings = new List<int>[columns];
        for (int i = 0; i < columns; i++)
            crossings[i] = [];
        foreach (Ring ring in region.Rings)
        {
            GridPoint last = ring.Points[^1];
            foreach (GridPoint point in ring.Points)
            {
                Cross(crossings, left, last, point);
                last = point;
            }
        }
        for (int i = 0; i < columns; i++)
        {
            crossings[i].Sort();
            for (int pair = 0; pair + 1 < crossings[i].Count; pair += 2)
            {
                if (crossings[i][pair] < crossings[i][pair + 1])
                    yield return (left + i, crossings[i][pair], crossings[i][pair + 1]);
            }
        }
    }

    /// <summary>COCO's run-lengths of one region, in a picture of its mask's size.</summary>
    /// <param name="region">The region, exact or simplified.</param>
    /// <param name="height">The number of rows of the picture.</param>
    /// <param name="width">The number of pixels of a row.</param>
    public static CocoRle Of(Region region, int height, int width)
    {
        var counts = new List<int>();
        int end = 0;
        foreach ((int x, int top, int bottom) in Columns(region))
        {
            int start = x * height + top;
            if (start == end && counts.Count > 0)
            {
                counts[^1] += bottom - top;
            }
            else
            {
                counts.Add(start - end);
                counts.Add(bottom - top);
            }
            end = x * height + bottom;
        }
        if (end < height * width)
            counts.Add(height * width - end);
        return new CocoRle(region.Label, height, width, counts);
    }

    /// <summary>The first row whose centre lies below a line, in every column whose centre the line crosses.</summary>
    private static void Cross(List<int>[] crossings, int left, GridPoint from, GridPoint to)
    {
        if (from.X > to.X)
            (from, to) = (to, from);
        for (int x = from.X; x < to.X; x++)
        {
            double y = from.Y + (x + 0.5 - from.X) * (to.Y - from.Y) / (to.X - from.X);
            crossings[x - left].Add((int)Math.Ceiling(y - 0.5));
        }
    }
}
