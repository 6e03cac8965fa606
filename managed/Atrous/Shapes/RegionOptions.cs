namespace Atrous.Shapes;

/// <summary>Which regions of a mask are wanted, and how exactly.</summary>
public sealed record RegionOptions
{
    /// <summary>
    /// How far, in pixels, a line may be moved to have fewer corners (Douglas and Peucker, 1973); 0 keeps it exact.
    /// Neighbours keep one line between them, and nothing crosses or ends up on the other side of a line.
    /// </summary>
    public double Simplify { get; init; }

    /// <summary>Regions and holes of fewer pixels are left out; 1 leaves none out.</summary>
    public long MinArea { get; init; } = 1;

    /// <summary>The classes that are wanted; null for all of them.</summary>
    public IReadOnlyCollection<int>? Labels { get; init; }

    internal void Check()
    {
        if (!(Simplify >= 0 && double.IsFinite(Simplify)))
            throw new ArgumentOutOfRangeException(nameof(Simplify), Simplify, "It is a number of pixels, 0 or more.");
        if (MinArea < 1)
            throw new ArgumentOutOfRangeException(nameof(MinArea), MinArea, "It is a number of pixels, 1 or more.");
    }
}
