using System.Globalization;

namespace Atrous.Shapes;

/// <summary>
/// Lines that are not closed yet, each a chain of corners that grows at both ends; one that meets itself is a ring.
/// Corners are numbered, and the numbers of rings that were taken are used again.
/// </summary>
/// <param name="mostBytes">What they may take in memory, that of taking them included.</param>
internal sealed class OpenRings(long mostBytes)
{
    public const int None = -1;

    /// <summary>A corner, and again as a point of the ring that is taken.</summary>
    public const int BytesOfCorner = 32;

    private const int PageBits = 16, Taken = -1;

    private readonly List<Corner[]> _pages = [];
    private int _free = None, _used;

    /// <summary>Corners that are kept.</summary>
    public long Count { get; private set; }

    /// <summary>A new corner before another; the rest of the line is yet to come where there is none.</summary>
    /// <param name="x">The number of pixels from the left edge.</param>
    /// <param name="y">The number of pixels from the upper edge.</param>
    /// <param name="next">The corner that follows.</param>
    /// <param name="touches">A line of the same class may pass here once more.</param>
    /// <exception cref="MemoryException">There are too many.</exception>
    public int Add(int x, int y, int next = None, bool touches = false)
    {
        if (++Count * BytesOfCorner > mostBytes)
        {
            throw new MemoryException(string.Create(
                CultureInfo.InvariantCulture,
                $"The outlines of regions that go on below row {y} take more than {mostBytes >> 20} MiB; leave out the "
                + $"class that reaches all over the map, or cut the map into parts."));
        }
        int at = _free;
        if (at != None)
            _free = this[at].Next;
        else if ((at = _used++) >> PageBits == _pages.Count)
            _pages.Add(new Corner[1 << PageBits]);
        this[at] = new Corner { X = x, Y = y, Next = next, Touches = touches };
        return at;
    }

    /// <summary>The column that a corner was added with.</summary>
    public int XOf(int corner) => this[corner].X;

    /// <summary>Makes one corner follow another.</summary>
    public void Join(int corner, int next) => this[corner].Next = next;

    /// <summary>
    /// Adds the ring that a corner is of to others, and forgets it. Where it passes a point twice it becomes two: so
    /// none touches itself.
    /// </summary>
    public void Take(int corner, List<Ring> rings)
    {
        if (this[corner].X == Taken)
            return; // with another of its corners
        var line = new List<GridPoint>();
        var passed = new Dictionary<GridPoint, int>();
        for (int at = corner; this[at].X != Taken; at = Forget(at))
        {
            var point = new GridPoint(this[at].X, this[at].Y);
            if (this[at].Touches && !passed.TryAdd(point, line.Count))
            {
                int first = passed[point];
                rings.Add(new Ring(line[first..]));
                line.RemoveRange(first, line.Count - first);
            }
            line.Add(point);
        }
        line.TrimExcess();
        rings.Add(new Ring(line));
    }

    /// <summary>Forgets the corner, and returns the next.</summary>
    public int Forget(int at)
    {
        int next = this[at].Next;
        this[at] = new Corner { X = Taken, Next = _free };
        _free = at;
        Count--;
        return next;
    }

    private ref Corner this[int at] => ref _pages[at >> PageBits][at & ((1 << PageBits) - 1)];

    private struct Corner
    {
        public int X, Y, Next;
        public bool Touches;
    }
}
