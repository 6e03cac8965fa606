using Atrous.Imaging;

namespace Atrous.Postprocessing;

/// <summary>
/// Label maps as files for programs: a PNG whose pixel is the class. Up to 256 classes it is an 8-bit palette PNG
/// (which viewers show in colour, and <c>numpy.array(PIL.Image.open(...))</c> reads as classes), beyond that 16-bit
/// grey.
/// </summary>
public static class LabelPng
{
    internal const int Level = 6;

    /// <summary>Writes the file.</summary>
    /// <param name="path">The path of the file, which is overwritten if it exists.</param>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="classes">
    /// The number of the model's classes, 1 to 65536; decides the format, whichever classes the picture has.
    /// </param>
    /// <param name="palette">The colours of the 8-bit format; the default palette when null.</param>
    /// <exception cref="ArgumentException">The map is not of that size, or a label is no class.</exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Save(
        string path, ReadOnlySpan<ushort> labels, int height, int width, int classes, Palette? palette = null) =>
        Encode(labels, height, width, classes, palette).Save(path);

    internal static void Save(
        string path, LabelArray labels, int height, int width, int classes, Palette? palette) =>
        Encode(labels, height, width, classes, palette).Save(path);

    /// <summary>Writes the same file to a stream.</summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="classes">The number of the model's classes, 1 to 65536; decides the format.</param>
    /// <param name="palette">The colours of the 8-bit format; the default palette when null.</param>
    public static void Save(
        Stream stream, ReadOnlySpan<ushort> labels, int height, int width, int classes, Palette? palette = null) =>
        Encode(labels, height, width, classes, palette).Save(stream);

    internal static void Save(
        Stream stream, LabelArray labels, int height, int width, int classes, Palette? palette) =>
        Encode(labels, height, width, classes, palette).Save(stream);

    internal static Task SaveAsync(
        string path, LabelArray labels, int height, int width, int classes, Palette? palette,
        CancellationToken cancellationToken) =>
        EncodedImage.SaveAsync(() => Encode(labels, height, width, classes, palette), path, cancellationToken);

    internal static Task SaveAsync(
        Stream stream, LabelArray labels, int height, int width, int classes, Palette? palette,
        CancellationToken cancellationToken) =>
        EncodedImage.SaveAsync(() => Encode(labels, height, width, classes, palette), stream, cancellationToken);

    /// <summary>The first colours of a palette as PNG has them.</summary>
    internal static byte[] Colours(Palette palette, int classes)
    {
        var colours = new byte[3 * classes];
        for (int label = 0; label < classes; label++)
            (colours[3 * label], colours[3 * label + 1], colours[3 * label + 2]) = palette[label];
        return colours;
    }

    private static EncodedImage Encode(LabelArray labels, int height, int width, int classes, Palette? palette)
    {
        if (labels.Narrow is not { } bytes)
            return Encode(labels.Wide, height, width, classes, palette);
        LabelMap.CheckCount(bytes.Length, height, width);
        using LabelRows rows = RowsOf(height, width, classes, palette);
        rows.Write(bytes);
        return rows.End();
    }

    private static EncodedImage Encode(
        ReadOnlySpan<ushort> labels, int height, int width, int classes, Palette? palette)
    {
        LabelMap.Check(labels, height, width);
        using LabelRows rows = RowsOf(height, width, classes, palette);
        rows.Write(labels);
        return rows.End();
    }

    private static LabelRows RowsOf(int height, int width, int classes, Palette? palette)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, ushort.MaxValue + 1);
        return new LabelRows(height, width, classes, palette ?? Palette.Default);
    }
}
