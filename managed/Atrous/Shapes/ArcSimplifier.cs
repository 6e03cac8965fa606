namespace Atrous.Shapes;

/// <summary>
/// Lines with fewer corners, by the algorithm of Douglas and Peucker. A part of a line becomes straight only where no
/// corner of any line lies between the two: so lines cross nowhere, and what was inside stays inside (de Berg, van
/// Kreveld and Schirra, "Topologically correct subdivision simplification", 1998).
/// </summary>
internal sealed class ArcSimplifier(
    IReadOnlyList<Arc> arcs, double tolerance, CancellationToken cancellationToken)
{
    private readonly PointGrid _corners = new(arcs.SelectMany(arc => arc.Points));

    /// <summary>All lines simplified, in their order.</summary>
    public Arc[] All()
    {
        Arc[] simple = [.. arcs.Select(arc => Simplify(arc, arc.IsClosed))];
        // Two straight lines between the same two nodes would lie on each other, and what is between them would vanish.
        IEnumerable<int> doubled = Enumerable.Range(0, simple.Length).Where(i => simple[i].Points.Length == 2)
            .GroupBy(i => Nodes(simple[i])).Where(group => group.Count() > 1).SelectMany(group => group);
        foreach (int i in doubled.ToArray())
            simple[i] = Simplify(arcs[i], keepsFarthest: true);
        return simple;
    }

    private static (GridPoint, GridPoint) Nodes(Arc arc) =>
        (arc.Points[0].Y, arc.Points[0].X).CompareTo((arc.Points[^1].Y, arc.Points[^1].X)) < 0
            ? (arc.Points[0], arc.Points[^1])
            : (arc.Points[^1], arc.Points[0]);

    /// <param name="arc">The line, exact as it was found.</param>
    /// <param name="keepsFarthest">
    /// Whether the corner that is farthest from the straight line between the ends stays in any case.
    /// </param>
    private Arc Simplify(Arc arc, bool keepsFarthest)
    {
        GridPoint[] points = arc.Points;
        var kept = new bool[points.Length];
        kept[0] = kept[^1] = true;
        int first = 0;
        foreach (int corner in keepsFarthest && points.Length > 2 ? Farthest(arc) : [])
        {
            kept[corner] = true;
            Straighten(points, first, corner, kept);
            first = corner;
        }
        Straighten(points, first, points.Length - 1, kept);
        return new Arc([.. points.Where((_, i) => kept[i])]);
    }

    /// <summary>
    /// The corner that is farthest from the ends, and of a closed line a third one, so that it is not flat.
    /// </summary>
    private static IEnumerable<int> Farthest(Arc arc)
    {
        GridPoint[] points = arc.Points;
        int far = Farthest(points, 0, points.Length - 1).Index;
        if (!arc.IsClosed)
            return [far];
        (int before, double distance) = Farthest(points, 0, far);
        (int after, double other) = Farthest(points, far, points.Length - 1);
        return distance >= other ? [before, far] : [far, after];
    }

    private void Straighten(GridPoint[] points, int first, int last, bool[] kept)
    {
        var rest = new Stack<(int First, int Last)>();
        rest.Push((first, last));
        while (rest.TryPop(out (int First, int Last) part))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (part.Last - part.First < 2)
                continue;
            (int far, double distance) = Farthest(points, part.First, part.Last);
            if (distance <= tolerance && IsFree(points.AsSpan(part.First..(part.Last + 1)), distance))
                continue;
            kept[far] = true;
            rest.Push((part.First, far));
            rest.Push((far, part.Last));
        }
    }

    /// <summary>True when no corner lies between a part of a line and the straight line between its ends.</summary>
    private bool IsFree(ReadOnlySpan<GridPoint> part, double distance)
    {
        GridPoint from = part[0], to = part[^1];
        foreach (GridPoint corner in _corners.Near(from, to, distance))
        {
            if (Distance(corner, from, to) <= distance && part.IndexOf(corner) < 0 && IsBetween(corner, part))
                return false;
        }
        return true;
    }

    /// <summary>True inside the polygon of a line's part and on the straight line between its ends.</summary>
    private static bool IsBetween(GridPoint point, ReadOnlySpan<GridPoint> part)
    {
        if (Distance(point, part[0], part[^1]) == 0)
            return true;
        bool inside = false;
        GridPoint last = part[^1];
        foreach (GridPoint corner in part)
        {
            if (corner.Y > point.Y != last.Y > point.Y)
            {
                long side = (long)(last.X - corner.X) * (point.Y - corner.Y)
                    - (long)(point.X - corner.X) * (last.Y - corner.Y);
                inside ^= last.Y > corner.Y ? side > 0 : side < 0;
            }
            last = corner;
        }
        return inside;
    }

    private static (int Index, double Distance) Farthest(GridPoint[] points, int first, int last)
    {
        (int index, double most) = (first + 1, -1.0);
        for (int i = first + 1; i < last; i++)
        {
            double distance = Distance(points[i], points[first], points[last]);
            if (distance > most)
                (index, most) = (i, distance);
        }
        return (index, most);
    }

    private static double Distance(GridPoint point, GridPoint from, GridPoint to)
    {
        double x = point.X - from.X, y = point.Y - from.Y, along = to.X - from.X, down = to.Y - from.Y;
        double length = along * along + down * down;
        double share = length == 0 ? 0 : Math.Clamp((x * along + y * down) / length, 0, 1);
        return Math.Sqrt(Math.Pow(x - share * along, 2) + Math.Pow(y - share * down, 2));
    }
}
