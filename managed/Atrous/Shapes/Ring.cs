namespace Atrous.Shapes;

/// <summary>
/// A closed line along the edges of pixels. As one sees the picture, an outline runs clockwise and a hole
/// counter-clockwise.
/// </summary>
/// <param name="Points">Its corners in order, three or more; the first is not repeated at the end.</param>
public sealed record Ring(IReadOnlyList<GridPoint> Points)
{
    /// <summary>
    /// The pixels that it encloses, its holes' included; half pixels are possible once it is simplified.
    /// </summary>
    public double Area => Math.Abs(SignedArea(Points));

    /// <summary>Positive where the points run clockwise as one sees the picture.</summary>
    internal static double SignedArea(IReadOnlyList<GridPoint> points)
    {
        long twice = 0;
        GridPoint last = points[^1];
        foreach (GridPoint point in points)
        {
            twice += (long)last.X * point.Y - (long)point.X * last.Y;
            last = point;
        }
        return twice / 2.0;
    }
}
