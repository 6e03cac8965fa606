using System.Numerics;

namespace Atrous.Postprocessing;

/// <summary>How much of a picture a class covers.</summary>
/// <param name="Label">The class, from 0.</param>
/// <param name="Pixels">How many pixels are of it.</param>
/// <param name="Share">The share of the picture that is of it, 0 to 1; of the pixels that have data.</param>
public readonly record struct ClassShare(int Label, long Pixels, double Share)
{
    /// <summary>
    /// The classes that occur in a label map, the largest first (the lower class first among equals).
    /// </summary>
    /// <param name="labels">The class of each pixel, in any order.</param>
    public static IReadOnlyList<ClassShare> Of(ReadOnlySpan<ushort> labels) => OfCounts(CountsOf(labels));

    /// <summary>The same of all labels but one, which is no class.</summary>
    internal static IReadOnlyList<ClassShare> Of(LabelArray labels, int? noClass)
    {
        long[] counts = labels.Narrow is { } bytes ? CountsOf<byte>(bytes) : CountsOf<ushort>(labels.Wide);
        if (noClass < counts.Length)
            counts[noClass.Value] = 0;
        return OfCounts(counts);
    }

    /// <summary>The same of so many pixels per class, none of which is of several.</summary>
    internal static IReadOnlyList<ClassShare> OfCounts(long[] counts) => OfCounts(counts, counts.Sum());

    /// <summary>The same of a picture of so many pixels.</summary>
    internal static IReadOnlyList<ClassShare> OfCounts(long[] counts, double total)
    {
        int[] labels = [.. Enumerable.Range(0, counts.Length).Where(label => counts[label] > 0)];
        Array.Sort(labels, (a, b) => counts[a] != counts[b] ? counts[b].CompareTo(counts[a]) : a.CompareTo(b));
        var shares = new ClassShare[labels.Length];
        for (int i = 0; i < shares.Length; i++)
            shares[i] = new ClassShare(labels[i], counts[labels[i]], counts[labels[i]] / total);
        return shares;
    }

    /// <summary>
    /// Pixels of each label. There is room for as many as nearly all models have, and for all once there are others:
    /// the counts of 65,536 take longer than those of a picture's pixels, which come in runs.
    /// </summary>
    private static long[] CountsOf<T>(ReadOnlySpan<T> labels)
        where T : unmanaged, IBinaryInteger<T>
    {
        const int few = 256;
        var counts = new long[few];
        while (!labels.IsEmpty)
        {
            int label = int.CreateTruncating(labels[0]), run = labels.IndexOfAnyExcept(labels[0]);
            if (run < 0)
                run = labels.Length;
            if (label >= counts.Length)
                Array.Resize(ref counts, ushort.MaxValue + 1);
            counts[label] += run;
            labels = labels[run..];
        }
        return counts;
    }
}
