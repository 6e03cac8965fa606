using Atrous.Postprocessing;

namespace Atrous.Shapes;

/// <summary>Finds the regions of a label map.</summary>
internal static class RegionFinder
{
    /// <summary>
    /// The regions in the order of their first pixels. Without simplification, filling their polygons gives the same
    /// label map.
    /// </summary>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="options">Which are wanted, and how exactly.</param>
    /// <param name="cancellationToken">Is looked at between two rows and two lines.</param>
    public static IReadOnlyList<Region> Find(
        ReadOnlySpan<ushort> labels, int height, int width, RegionOptions options, CancellationToken cancellationToken)
    {
        LabelMap.Check(labels, height, width);
        options.Check();
        Components parts = Components.Of(labels, height, width, cancellationToken);
        var boundaries = new Boundaries(parts, cancellationToken);
        IReadOnlyList<Arc> arcs = options.Simplify > 0
            ? new ArcSimplifier(boundaries.Arcs, options.Simplify, cancellationToken).All()
            : boundaries.Arcs;
        var outlines = new Ring?[parts.Pixels.Length];
        var holes = new List<Ring>?[parts.Pixels.Length];
        foreach ((int part, List<DirectedArc> directed) in boundaries.Rings())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (parts.Pixels[part] < options.MinArea || options.Labels?.Contains(parts.Labels[part]) == false)
                continue;
            // Which ring is the outline and how large a hole is are asked of the exact lines.
            double area = Ring.SignedArea(Join(directed, boundaries.Arcs));
            if (area > 0)
                outlines[part] = new Ring(WithoutStraight(Join(directed, arcs)));
            else if (-area >= options.MinArea)
                (holes[part] ??= []).Add(new Ring(WithoutStraight(Join(directed, arcs))));
        }
        return [.. Enumerable.Range(0, outlines.Length).Where(part => outlines[part] is not null)
            .Select(part => new Region(parts.Labels[part], parts.Pixels[part], outlines[part]!, holes[part] ?? []))];
    }

    private static List<GridPoint> Join(List<DirectedArc> directed, IReadOnlyList<Arc> arcs)
    {
        var points = new List<GridPoint>();
        foreach (DirectedArc arc in directed)
        {
            IEnumerable<GridPoint> line = arcs[arc.Arc].Points;
            points.AddRange((arc.IsReversed ? line.Reverse() : line).Skip(1));
        }
        return points;
    }

    /// <summary>A node of others may lie on a straight line of this one.</summary>
    private static List<GridPoint> WithoutStraight(List<GridPoint> points)
    {
        var corners = new List<GridPoint>();
        for (int i = 0; i < points.Count; i++)
        {
            GridPoint last = corners.Count > 0 ? corners[^1] : points[^1], next = points[(i + 1) % points.Count];
            if (Cross(last, points[i], next) != 0)
                corners.Add(points[i]);
        }
        return corners;
    }

    private static long Cross(GridPoint a, GridPoint b, GridPoint c) =>
        (long)(b.X - a.X) * (c.Y - b.Y) - (long)(b.Y - a.Y) * (c.X - b.X);
}
