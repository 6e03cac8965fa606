namespace Atrous.Shapes;

/// <summary>
/// The regions of a label map whose rows come one after the other, each told as soon as no further row can be part of
/// it. Kept are the lines of those that go on, and two rows; the regions are those of <see cref="RegionFinder"/>, in
/// the order of their last rows.
/// </summary>
internal sealed class RegionSweep
{
    /// <summary>Bytes that lines may take unless another number is given.</summary>
    public const long MostBytes = 512L << 20;

    private const int Outside = -1;

    private readonly int _width;
    private readonly RegionOptions _options;
    private readonly Func<int, double> _weightOf;
    private readonly Action<Region, double> _found;
    private readonly OpenRings _lines;
    // By column, of the lines along an edge between two pixels beside each other: the last corner of that which goes
    // down, the first one of that which comes up.
    private readonly int[] _down, _up;
    private List<Run> _above, _below = [];
    private int _right, _left, _y;

    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="options">Which regions are wanted; they are exact.</param>
    /// <param name="weightOf">The weight of a pixel in a row.</param>
    /// <param name="found">Gets each region, and the sum of its pixels' weights.</param>
    /// <param name="mostBytes">What the lines may take in memory.</param>
    /// <exception cref="ArgumentException">Simplified regions are asked for, which need the whole map.</exception>
    public RegionSweep(
        int width, RegionOptions options, Func<int, double> weightOf, Action<Region, double> found,
        long mostBytes = MostBytes)
    {
        options.Check();
        if (options.Simplify > 0)
            throw new ArgumentException("Lines are not simplified before all rows are known.", nameof(options));
        (_width, _options, _weightOf, _found) = (width, options, weightOf, found);
        _lines = new OpenRings(mostBytes);
        (_down, _up) = (new int[width + 1], new int[width + 1]);
        _above = [new Run(0, Outside, null)];
    }

    /// <summary>The next rows, whole ones.</summary>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <exception cref="MemoryException">The regions that go on take too much memory.</exception>
    public void Add(ReadOnlySpan<ushort> labels)
    {
        for (; !labels.IsEmpty; labels = labels[_width..])
        {
            ReadOnlySpan<ushort> row = labels[.._width];
            for (int x = 0; x < _width;)
            {
                int length = row[x..].IndexOfAnyExcept(row[x]);
                _below.Add(new Run(x, row[x], null));
                x = length < 0 ? _width : x + length;
            }
            Connect();
            Next();
        }
    }

    /// <summary>Ends the map: the regions of its last row are told.</summary>
    public void End()
    {
        _below.Add(new Run(0, Outside, null));
        Next();
    }

    /// <summary>The runs of the new row become part of those above that have their class.</summary>
    private void Connect()
    {
        double weight = _weightOf(_y);
        for (int i = 0, j = 0; j < _below.Count; j++)
        {
            Run run = _below[j];
            int end = EndOf(_below, j);
            if (_options.Labels?.Contains(run.Label) == false)
                continue;
            Part? part = null;
            while (i + 1 < _above.Count && EndOf(_above, i) <= run.Start)
                i++;
            for (int k = i; k < _above.Count && _above[k].Start < end; k++)
            {
                if (_above[k].Label == run.Label)
                    part = part is null ? _above[k].Part!.Root : Unite(part, _above[k].Part!.Root);
            }
            part ??= new Part { Label = run.Label };
            part.Pixels += end - run.Start;
            part.Weight += (end - run.Start) * weight;
            part.LastRow = _y;
            _below[j] = run with { Part = part };
        }
    }

    private Part Unite(Part one, Part other)
    {
        if (one == other)
            return one;
        other.Into = one;
        one.Pixels += other.Pixels;
        one.Weight += other.Weight;
        if (one.First == OpenRings.None)
            one.First = other.First;
        else
            _lines.Join(one.Last, other.First);
        one.Last = other.First == OpenRings.None ? one.Last : other.Last;
        return one;
    }

    /// <summary>Follows the lines between the row above and the new one, and tells what has ended.</summary>
    private void Next()
    {
        for (int i = -1, j = -1, x = 0; x <= _width; x = Math.Min(EndOf(_above, i), EndOf(_below, j)))
        {
            (Run northWest, Run southWest) = (At(_above, i), At(_below, j));
            i += i + 1 < _above.Count && _above[i + 1].Start == x ? 1 : 0;
            j += j + 1 < _below.Count && _below[j + 1].Start == x ? 1 : 0;
            Meet(x, northWest, At(_above, x == _width ? -1 : i), southWest, At(_below, x == _width ? -1 : j));
            if (x == _width)
                break;
        }
        foreach (Run run in _above)
        {
            if (run.Part?.Root is { IsTold: false } part && part.LastRow < _y)
                Tell(part);
        }
        (_above, _below) = (_below, _above);
        _below.Clear();
        _y++;
    }

    /// <summary>
    /// The lines at a point where four runs meet. Each has its region on the right hand, so that at most one comes and
    /// one goes along an edge in either direction; it turns right where it can. Regions that meet only at the point
    /// stay apart; of one region that meets itself, the two lines are parted when they are taken.
    /// </summary>
    private void Meet(int x, Run northWest, Run northEast, Run southWest, Run southEast)
    {
        (int nw, int ne, int sw, int se) = (northWest.Label, northEast.Label, southWest.Label, southEast.Label);
        bool touches = nw == se && nw != ne && nw != sw || ne == sw && ne != nw && ne != se;
        int fromWest = _right, toWest = _left, fromNorth = _down[x], toNorth = _up[x];
        if (sw != nw && southWest.Part is not null)
        {
            if (se != sw)
                _down[x] = Append(fromWest);
            else if (ne == sw)
                _lines.Join(Append(fromWest), toNorth);
        }
        if (nw != ne && northWest.Part is not null)
        {
            if (sw != nw)
                _lines.Join(Append(fromNorth), toWest);
            else if (se == nw)
                _right = Append(fromNorth);
        }
        if (ne != se && northEast.Part is not null)
        {
            if (nw != ne)
                _left = Prepend(toNorth);
            else if (sw == ne)
                _left = _down[x] = Begin(southWest.Part!);
        }
        if (se != sw && southEast.Part is not null)
        {
            if (ne != se)
                _up[x] = _right = Begin(southEast.Part);
            else if (nw == se)
                _up[x] = Prepend(toWest);
        }

        int Append(int last)
        {
            int corner = _lines.Add(x, _y, touches: touches);
            _lines.Join(last, corner);
            return corner;
        }

        int Prepend(int first) => _lines.Add(x, _y, first, touches);

        int Begin(Part part)
        {
            int corner = _lines.Add(x, _y, touches: touches);
            part.Root.Add(_lines.Add(corner, _y), _lines);
            return corner;
        }
    }

    private void Tell(Part part)
    {
        part.IsTold = true;
        var rings = new List<Ring>();
        for (int entry = part.First; entry != OpenRings.None; entry = _lines.Forget(entry))
            _lines.Take(_lines.XOf(entry), rings);
        if (part.Pixels < _options.MinArea)
            return;
        Ring outline = rings.Single(ring => Ring.SignedArea(ring.Points) > 0);
        Ring[] holes = [.. rings.Where(ring => ring != outline && ring.Area >= _options.MinArea)];
        _found(new Region(part.Label, part.Pixels, outline, holes), part.Weight);
    }

    private static Run At(List<Run> runs, int index) => index < 0 ? new Run(0, Outside, null) : runs[index];

    private int EndOf(List<Run> runs, int index) => index + 1 < runs.Count ? runs[index + 1].Start : _width;

    /// <summary>Pixels of one class beside each other in a row, up to the next run.</summary>
    private readonly record struct Run(int Start, int Label, Part? Part);

    /// <summary>What is known of a region so far; of several that turned out to be one the first knows it.</summary>
    private sealed class Part
    {
        public Part? Into { get; set; }

        public required int Label { get; init; }

        public long Pixels { get; set; }

        public double Weight { get; set; }

        /// <summary>The last row with a pixel of it.</summary>
        public int LastRow { get; set; }

        public bool IsTold { get; set; }

        /// <summary>The first of a list of corners, one or more of each of its rings.</summary>
        public int First { get; set; } = OpenRings.None;

        public int Last { get; set; } = OpenRings.None;

        public Part Root
        {
            get
            {
                Part root = this;
                while (root.Into is { } into)
                    root = into;
                for (Part at = this; at.Into is { } into; at = into)
                    at.Into = root;
                return root;
            }
        }

        public void Add(int entry, OpenRings lines)
        {
            if (First == OpenRings.None)
                First = entry;
            else
                lines.Join(Last, entry);
            Last = entry;
        }
    }
}
