using System.Text;

namespace Atrous.Postprocessing;

/// <summary>
/// A class's mask as the run-lengths of COCO (Lin et al., "Microsoft COCO", 2014), which annotation tools and
/// pycocotools read: pixels are counted column by column, and runs of other classes and of this class take turns,
/// others first.
/// </summary>
/// <param name="Label">The class, from 0.</param>
/// <param name="Height">The number of rows of the picture.</param>
/// <param name="Width">The number of pixels of a row.</param>
/// <param name="Counts">
/// The lengths of the runs in pixels: others, this class, others, ... The first is 0 where the class has pixel (0, 0).
/// </param>
public sealed record CocoRle(int Label, int Height, int Width, IReadOnlyList<int> Counts)
{
    /// <summary>Pixels of the class.</summary>
    public long Area => Counts.Where((_, run) => run % 2 == 1).Sum(count => (long)count);

    /// <summary>The runs of every class that occurs, the lowest class first.</summary>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <exception cref="ArgumentException">The map is not of that size.</exception>
    public static IReadOnlyList<CocoRle> Of(ReadOnlySpan<ushort> labels, int height, int width)
    {
        LabelMap.Check(labels, height, width);
        // One walk serves all classes: each remembers where its last run ended, and the gap since then is its run of
        // others.
        var runs = new SortedDictionary<int, (List<int> Counts, int End)>();
        int start = 0, position = 0;
        ushort current = labels[0];
        for (int x = 0; x < width; x++)
        {
            for (int at = x; at < labels.Length; at += width, position++)
            {
                if (labels[at] == current)
                    continue;
                Close(current, start, position);
                (current, start) = (labels[at], position);
            }
        }
        Close(current, start, labels.Length);
        int total = labels.Length;
        return [.. runs.Select(entry => new CocoRle(
            entry.Key, height, width, entry.Value.End < total
                ? [.. entry.Value.Counts, total - entry.Value.End]
                : entry.Value.Counts))];

        void Close(int label, int first, int end)
        {
            (List<int> counts, int last) = runs.GetValueOrDefault(label, ([], 0));
            counts.Add(first - last);
            counts.Add(end - first);
            runs[label] = (counts, end);
        }
    }

    /// <summary>
    /// The counts as pycocotools writes them in JSON: from the fourth on each less the one two before it, in groups of
    /// five bits, the lowest first, with a sixth bit where more follow, as ASCII from '0' on.
    /// </summary>
    public string Compress()
    {
        var text = new StringBuilder();
        for (int i = 0; i < Counts.Count; i++)
        {
            int rest = i > 2 ? Counts[i] - Counts[i - 2] : Counts[i];
            for (bool more = true; more;)
            {
                int group = rest & 0x1f;
                rest >>= 5;
                // The last group's highest bit is the sign.
                more = rest != ((group & 0x10) != 0 ? -1 : 0);
                text.Append((char)('0' + (more ? group | 0x20 : group)));
            }
        }
        return text.ToString();
    }
}
