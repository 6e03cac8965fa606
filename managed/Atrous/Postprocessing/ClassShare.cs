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
    public static IReadOnlyList<ClassShare> Of(ReadOnlySpan<ushort> labels)
    {
        var counts = new long[ushort.MaxValue + 1];
        foreach (ushort label in labels)
            counts[label]++;
        return OfCounts(counts);
    }

    /// <summary>The same of all labels but one, which is no class.</summary>
    internal static IReadOnlyList<ClassShare> Of(LabelArray labels, int? noClass)
    {
        var counts = new long[ushort.MaxValue + 1];
        foreach (byte label in labels.Narrow ?? [])
            counts[label]++;
        foreach (ushort label in labels.Narrow is null ? labels.Wide : [])
            counts[label]++;
        if (noClass is { } none)
            counts[none] = 0;
        return OfCounts(counts);
    }

    /// <summary>The same of so many pixels per class, none of which is of several.</summary>
    internal static IReadOnlyList<ClassShare> OfCounts(long[] counts) => OfCounts(counts, counts.Sum());

    /// <summary>The same of a picture of so many pixels.</summary>
    internal static IReadOnlyList<ClassShare> OfCounts(long[] counts, double total)
    {
        return
        [
            .. counts.Select((pixels, label) => new ClassShare(label, pixels, pixels / total))
                .Where(share => share.Pixels > 0)
                .OrderByDescending(share => share.Pixels),
        ];
    }
}
