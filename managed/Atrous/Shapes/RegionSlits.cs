namespace Atrous.Shapes;

/// <summary>For formats whose polygons have no holes: one line with a slit to every hole.</summary>
internal static class RegionSlits
{
    /// <summary>
    /// The outline with the holes joined to it, each by a straight way there and back. Filled, it is the region.
    /// </summary>
    /// <param name="region">The region, with or without holes.</param>
    public static IReadOnlyList<GridPoint> Outline(Region region)
    {
        if (region.Holes.Count == 0)
            return region.Outline.Points;
        List<GridPoint> line = [.. region.Outline.Points];
        foreach (Ring hole in region.Holes)
        {
            int at = Nearest(line, hole.Points[0]), first = Nearest(hole.Points, line[at]);
            IEnumerable<GridPoint> around = hole.Points.Skip(first).Concat(hole.Points.Take(first + 1));
            line.InsertRange(at + 1, [.. around, line[at]]);
        }
        return line;
    }

    private static int Nearest(IReadOnlyList<GridPoint> points, GridPoint to)
    {
        (int nearest, long least) = (0, long.MaxValue);
        for (int i = 0; i < points.Count; i++)
        {
            long x = points[i].X - to.X, y = points[i].Y - to.Y, distance = x * x + y * y;
            if (distance < least)
                (nearest, least) = (i, distance);
        }
        return nearest;
    }
}
