namespace Atrous.Postprocessing;

/// <summary>What the uses of a label map have in common.</summary>
internal static class LabelMap
{
    /// <exception cref="ArgumentException">There are not height * width labels.</exception>
    public static void Check(ReadOnlySpan<ushort> labels, int height, int width) =>
        CheckCount(labels.Length, height, width);

    /// <exception cref="ArgumentException">There are not height * width labels.</exception>
    public static void CheckCount(int labels, int height, int width)
    {
        if (height < 1 || width < 1 || labels != (long)height * width)
            throw new ArgumentException(
                $"{labels} labels do not cover a picture of {width} x {height} pixels.", nameof(labels));
    }

    /// <exception cref="ArgumentException">A label is none of the classes.</exception>
    public static void CheckClasses(ReadOnlySpan<ushort> labels, int classes)
    {
        int highest = 0;
        foreach (ushort label in labels)
            highest = Math.Max(highest, label);
        CheckHighest(highest, classes, nameof(labels));
    }

    /// <inheritdoc cref="CheckClasses(ReadOnlySpan{ushort}, int)"/>
    public static void CheckClasses(ReadOnlySpan<byte> labels, int classes)
    {
        int highest = 0;
        foreach (byte label in labels)
            highest = Math.Max(highest, label);
        CheckHighest(highest, classes, nameof(labels));
    }

    private static void CheckHighest(int highest, int classes, string labels)
    {
        if (highest >= classes)
            throw new ArgumentException($"Label {highest} is none of {classes} classes.", labels);
    }

    /// <summary>The palette's channels times the weight, with a half for rounding.</summary>
    public static ushort[] Premultiply(Palette palette, int weight)
    {
        var channels = new ushort[palette.Colours.Count * 3];
        for (int i = 0; i < palette.Colours.Count; i++)
        {
            (byte red, byte green, byte blue) = palette.Colours[i];
            channels[3 * i] = (ushort)(red * weight + 128);
            channels[3 * i + 1] = (ushort)(green * weight + 128);
            channels[3 * i + 2] = (ushort)(blue * weight + 128);
        }
        return channels;
    }
}
