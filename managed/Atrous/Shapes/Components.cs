namespace Atrous.Shapes;

/// <summary>
/// The parts of a label map that hang together by the pixels' sides, numbered in the order of their first pixels.
/// </summary>
internal sealed class Components
{
    /// <summary>The number of what lies outside the map.</summary>
    public const int Outside = -1;

    private readonly int[] _ids;

    private Components(int[] ids, int height, int width, ushort[] labels, long[] pixels)
    {
        _ids = ids;
        Height = height;
        Width = width;
        Labels = labels;
        Pixels = pixels;
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>The class of every part.</summary>
    public ushort[] Labels { get; }

    /// <summary>The pixels of every part.</summary>
    public long[] Pixels { get; }

    /// <summary>The part of the pixel in column x and row y.</summary>
    public int At(int x, int y) =>
        (uint)x < (uint)Width && (uint)y < (uint)Height ? _ids[y * Width + x] : Outside;

    public static Components Of(
        ReadOnlySpan<ushort> labels, int height, int width, CancellationToken cancellationToken)
    {
        var ids = new int[labels.Length];
        // A part may be met in several pieces before they join: each points to an earlier piece of the same part.
        var earlier = new List<int>();
        for (int y = 0, at = 0; y < height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int x = 0; x < width; x++, at++)
            {
                bool left = x > 0 && labels[at - 1] == labels[at], above = y > 0 && labels[at - width] == labels[at];
                ids[at] = left ? ids[at - 1] : above ? ids[at - width] : earlier.Count;
                if (!left && !above)
                    earlier.Add(earlier.Count);
                else if (left && above && ids[at - 1] != ids[at - width])
                    Join(earlier, ids[at - 1], ids[at - width]);
            }
        }
        int count = 0;
        for (int i = 0; i < earlier.Count; i++)
            earlier[i] = earlier[i] == i ? count++ : earlier[earlier[i]];
        var classes = new ushort[count];
        var pixels = new long[count];
        for (int at = 0; at < ids.Length; at++)
        {
            int id = ids[at] = earlier[ids[at]];
            classes[id] = labels[at];
            pixels[id]++;
        }
        return new Components(ids, height, width, classes, pixels);
    }

    private static void Join(List<int> earlier, int a, int b)
    {
        a = First(earlier, a);
        b = First(earlier, b);
        earlier[Math.Max(a, b)] = Math.Min(a, b);
    }

    private static int First(List<int> earlier, int piece)
    {
        while (earlier[piece] != piece)
            piece = earlier[piece] = earlier[earlier[piece]];
        return piece;
    }
}
