using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Whether a picture can be prepared as a file says: with numbers that nothing can be computed from, a network gives a
/// mask all the same, and a wrong one.
/// </summary>
internal static class PreprocessingCheck
{
    private const int LargestSide = 65536;

    /// <summary>What is wrong, after "its"; null where nothing is.</summary>
    public static string? ComplaintOf(PreprocessingSpec spec)
    {
        bool computes = float.IsFinite(spec.Scale) && spec.Scale > 0 && spec.Mean.Count == spec.Std.Count
            && Enumerable.Range(0, spec.Std.Count).All(i => Computes(spec.Scale, spec.Mean[i], spec.Std[i]));
        if (!computes)
            return "mean, std and scale are none to compute with";
        int[] sides = [.. Sides(spec.Resize), spec.SizeMultiple ?? 1];
        return Array.TrueForAll(sides, side => side is >= 1 and <= LargestSide)
            ? null
            : "size is not one of a picture";
    }

    /// <summary>The darkest and the brightest pixel become numbers.</summary>
    private static bool Computes(float scale, float mean, float std) =>
        std > 0 && float.IsFinite(-mean / std) && float.IsFinite((byte.MaxValue * scale - mean) / std);

    private static int[] Sides(ResizePolicy policy) => policy switch
    {
        ResizePolicy.ShortSide side => [side.Size, side.Max ?? side.Size],
        ResizePolicy.LongSide side => [side.Size],
        ResizePolicy.Within frame => [frame.Long, frame.Short],
        ResizePolicy.Stretch size => [size.Height, size.Width],
        ResizePolicy.Letterbox box => [box.Height, box.Width],
        _ => [],
    };
}
