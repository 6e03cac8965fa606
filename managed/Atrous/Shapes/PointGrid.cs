namespace Atrous.Shapes;

/// <summary>Points by the square they lie in, so that those near a line are found without looking at all.</summary>
internal sealed class PointGrid
{
    private const int Side = 16;

    private readonly Dictionary<(int X, int Y), GridPoint[]> _squares;

    public PointGrid(IEnumerable<GridPoint> points) => _squares = points.Distinct()
        .GroupBy(point => (point.X / Side, point.Y / Side)).ToDictionary(group => group.Key, group => group.ToArray());

    /// <summary>All points in a box around a line and perhaps some more.</summary>
    /// <param name="from">One end of the line.</param>
    /// <param name="to">The other end of the line.</param>
    /// <param name="distance">How far the box reaches beyond both, in pixels.</param>
    public IEnumerable<GridPoint> Near(GridPoint from, GridPoint to, double distance)
    {
        int margin = (int)Math.Ceiling(distance);
        int right = (Math.Max(from.X, to.X) + margin) / Side, bottom = (Math.Max(from.Y, to.Y) + margin) / Side;
        for (int y = Math.Max(0, Math.Min(from.Y, to.Y) - margin) / Side; y <= bottom; y++)
        {
            for (int x = Math.Max(0, Math.Min(from.X, to.X) - margin) / Side; x <= right; x++)
            {
                foreach (GridPoint point in _squares.GetValueOrDefault((x, y), []))
                    yield return point;
            }
        }
    }
}
