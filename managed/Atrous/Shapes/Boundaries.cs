namespace Atrous.Shapes;

/// <summary>All lines between the parts of a label map, and the rings that they make.</summary>
internal sealed class Boundaries
{
    private readonly Components _parts;
    private readonly List<Arc> _arcs = [];
    private readonly Dictionary<(GridPoint, Heading), DirectedArc> _starts = [];

    /// <summary>
    /// By the upper left corner of every pixel and the last row's and column's: edges that are in an arc.
    /// </summary>
    private readonly (bool East, bool South)[] _taken;

    public Boundaries(Components parts, CancellationToken cancellationToken)
    {
        _parts = parts;
        _taken = new (bool, bool)[(parts.Height + 1) * (parts.Width + 1)];
        ForEachPoint(point =>
        {
            if (!IsNode(point))
                return;
            foreach (Heading heading in Enum.GetValues<Heading>())
            {
                if (IsEdge(point, heading) && !Taken(point, heading))
                    Add(Follow(point, heading));
            }
        }, cancellationToken);
        // What is left meets no node. The first of a closed line's points in reading order is a corner of it.
        ForEachPoint(point =>
        {
            if (IsEdge(point, Heading.East) && !Taken(point, Heading.East))
                Add(Follow(point, Heading.East));
        }, cancellationToken);
    }

    public IReadOnlyList<Arc> Arcs => _arcs;

    /// <summary>The rings with the part that each has on its right hand, none of what lies outside the map.</summary>
    public IEnumerable<(int Part, List<DirectedArc> Ring)> Rings()
    {
        var used = new (bool Forward, bool Reversed)[_arcs.Count];
        for (int i = 0; i < _arcs.Count; i++)
        {
            foreach (bool reversed in (bool[])[false, true])
            {
                var start = new DirectedArc(i, reversed);
                (GridPoint from, Heading leaving, _, _) = Ends(start);
                int part = _parts.RightOf(from, leaving);
                if (part != Components.Outside && !(reversed ? used[i].Reversed : used[i].Forward))
                    yield return (part, Around(start, part, used));
            }
        }
    }

    private List<DirectedArc> Around(DirectedArc start, int part, (bool Forward, bool Reversed)[] used)
    {
        var ring = new List<DirectedArc>();
        DirectedArc arc = start;
        do
        {
            ring.Add(arc);
            ref (bool Forward, bool Reversed) mark = ref used[arc.Arc];
            mark = arc.IsReversed ? (mark.Forward, true) : (true, mark.Reversed);
            if (_arcs[arc.Arc].IsClosed && !IsNode(_arcs[arc.Arc].Points[0]))
                break;
            (_, _, GridPoint end, Heading arriving) = Ends(arc);
            arc = _starts[(end, Turn(end, arriving, part))];
        }
        while (arc != start);
        return ring;
    }

    /// <summary>
    /// Where the part goes on. Where it meets itself at a corner, left: then a ring never touches itself, because one
    /// of the two others at that corner is enclosed by the part and gets a ring of its own.
    /// </summary>
    private Heading Turn(GridPoint point, Heading heading, int part) =>
        _parts.LeftOf(point, heading) == part ? heading.Left()
        : _parts.RightOf(point, heading) == part ? heading
        : heading.Right();

    private (GridPoint From, Heading Leaving, GridPoint To, Heading Arriving) Ends(DirectedArc arc)
    {
        GridPoint[] points = _arcs[arc.Arc].Points;
        Heading first = points[0].To(points[1]), last = points[^2].To(points[^1]);
        return arc.IsReversed
            ? (points[^1], last.Back(), points[0], first.Back())
            : (points[0], first, points[^1], last);
    }

    private void Add(Arc arc)
    {
        int index = _arcs.Count;
        _arcs.Add(arc);
        foreach (var directed in (DirectedArc[])[new(index, false), new(index, true)])
        {
            (GridPoint from, Heading leaving, _, _) = Ends(directed);
            _starts[(from, leaving)] = directed;
        }
    }

    /// <summary>The arc that leaves a point in a heading.</summary>
    private Arc Follow(GridPoint start, Heading heading)
    {
        List<GridPoint> corners = [start];
        GridPoint point = start;
        while (true)
        {
            Take(point, heading);
            point = point.Step(heading);
            if (point == start || IsNode(point))
                return new Arc([.. corners, point]);
            Heading next = IsEdge(point, heading) ? heading
                : IsEdge(point, heading.Left()) ? heading.Left() : heading.Right();
            if (next != heading)
                corners.Add(point);
            heading = next;
        }
    }

    /// <summary>
    /// True where three lines or more meet, and at the map's corners, which no simplification may cut.
    /// </summary>
    private bool IsNode(GridPoint point)
    {
        int edges = 0;
        for (Heading heading = Heading.East; heading <= Heading.North; heading++)
            edges += IsEdge(point, heading) ? 1 : 0;
        return edges > 2
            || ((point.X == 0 || point.X == _parts.Width) && (point.Y == 0 || point.Y == _parts.Height));
    }

    private bool IsEdge(GridPoint point, Heading heading) =>
        _parts.RightOf(point, heading) != _parts.LeftOf(point, heading);

    private bool Taken(GridPoint point, Heading heading)
    {
        (bool east, bool south) = _taken[Index(point, heading)];
        return heading is Heading.East or Heading.West ? east : south;
    }

    private void Take(GridPoint point, Heading heading)
    {
        ref (bool East, bool South) edge = ref _taken[Index(point, heading)];
        edge = heading is Heading.East or Heading.West ? (true, edge.South) : (edge.East, true);
    }

    private int Index(GridPoint point, Heading heading)
    {
        if (heading is Heading.West or Heading.North)
            point = point.Step(heading);
        return point.Y * (_parts.Width + 1) + point.X;
    }

    private void ForEachPoint(Action<GridPoint> action, CancellationToken cancellationToken)
    {
        for (int y = 0; y <= _parts.Height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int x = 0; x <= _parts.Width; x++)
                action(new GridPoint(x, y));
        }
    }
}
