using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>A mask at its label map's size: the nearest pixels count.</summary>
internal static class NearestLabels
{
    /// <summary>The labels themselves where the sizes are equal.</summary>
    /// <param name="labels">The mask, row by row.</param>
    /// <param name="height">The number of rows of the mask.</param>
    /// <param name="width">The number of pixels of a row of the mask.</param>
    /// <param name="truth">The label map whose size is wanted.</param>
    public static ReadOnlySpan<ushort> At(ReadOnlySpan<ushort> labels, int height, int width, LabelImage truth)
    {
        if ((height, width) == (truth.Height, truth.Width))
            return labels;
        int[] columns = [.. Enumerable.Range(0, truth.Width).Select(x => Nearest(x, truth.Width, width))];
        var nearest = new ushort[truth.Height * truth.Width];
        for (int y = 0; y < truth.Height; y++)
        {
            ReadOnlySpan<ushort> row = labels.Slice(Nearest(y, truth.Height, height) * width, width);
            Span<ushort> target = nearest.AsSpan(y * truth.Width, truth.Width);
            for (int x = 0; x < target.Length; x++)
                target[x] = row[columns[x]];
        }
        return nearest;
    }

    private static int Nearest(int i, int to, int from) => (int)((2L * i + 1) * from / (2L * to));
}
