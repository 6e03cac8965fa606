namespace Atrous.Shapes;

/// <summary>The four ways along the edges of pixels, clockwise as one sees the picture.</summary>
internal enum Heading
{
    East,
    South,
    West,
    North,
}

internal static class HeadingExtensions
{
    public static Heading Back(this Heading heading) => (Heading)(((int)heading + 2) & 3);

    public static Heading Left(this Heading heading) => (Heading)(((int)heading + 3) & 3);

    public static Heading Right(this Heading heading) => (Heading)(((int)heading + 1) & 3);

    public static GridPoint Step(this GridPoint point, Heading heading) => heading switch
    {
        Heading.East => new(point.X + 1, point.Y),
        Heading.South => new(point.X, point.Y + 1),
        Heading.West => new(point.X - 1, point.Y),
        _ => new(point.X, point.Y - 1),
    };

    /// <summary>The heading from one point to another that lies straight in one of the four ways.</summary>
    public static Heading To(this GridPoint from, GridPoint to) =>
        to.X > from.X ? Heading.East : to.X < from.X ? Heading.West : to.Y > from.Y ? Heading.South : Heading.North;

    /// <summary>The part on the right hand of who leaves a point in a heading.</summary>
    public static int RightOf(this Components parts, GridPoint point, Heading heading) => heading switch
    {
        Heading.East => parts.At(point.X, point.Y),
        Heading.South => parts.At(point.X - 1, point.Y),
        Heading.West => parts.At(point.X - 1, point.Y - 1),
        _ => parts.At(point.X, point.Y - 1),
    };

    /// <summary>The part on the left hand of who leaves a point in a heading.</summary>
    public static int LeftOf(this Components parts, GridPoint point, Heading heading) =>
        // Who turns left has on the right hand what was ahead on the left.
        parts.RightOf(point, heading.Left());
}
