using Atrous.Imaging;
using Atrous.Imaging.Formats;

namespace Atrous.Postprocessing;

/// <summary>A label map: the class of every pixel, such as a data set's ground truth. Plain managed memory.</summary>
public sealed class LabelImage
{
    private readonly ushort[] _labels;

    /// <summary>Copies labels that are already in memory.</summary>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <param name="height">The number of rows.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <exception cref="ArgumentException">There are not height * width labels.</exception>
    public LabelImage(ReadOnlySpan<ushort> labels, int height, int width)
    {
        LabelMap.Check(labels, height, width);
        (Width, Height, _labels) = (width, height, labels.ToArray());
    }

    private LabelImage(ushort[] labels, int height, int width) => (Width, Height, _labels) = (width, height, labels);

    /// <summary>Pixels of a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>The class of every pixel, row by row.</summary>
    public ReadOnlySpan<ushort> Labels => _labels;

    /// <summary>As <see cref="Image.Warning"/>.</summary>
    internal string? Warning { get; init; }

    /// <summary>
    /// Reads a PNG or TIFF whose pixel is the class: palette indexes or unscaled grey of 1, 2, 4 or 8 bits, or 16-bit
    /// grey, as <see cref="LabelPng"/> writes them and data sets have them. Of a GIF, a BMP or a PNG of colours that
    /// has no other colours than greys, the grey is the class.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="maxPixels">What the header may claim; checked before anything of that size is allocated.</param>
    /// <exception cref="ImageException">
    /// The file is missing, broken, too large, or has colours instead of classes.
    /// </exception>
    public static LabelImage Load(string path, long maxPixels = Image.DefaultMaxPixels)
    {
        (ushort[] labels, ImageInfo info, bool lacksEnd) =
            PictureDecoder.DecodeLabels(ImageFile.Read(path), maxPixels, path);
        return new LabelImage(labels, info.Height, info.Width) { Warning = lacksEnd ? Image.LacksEnd : null };
    }
}
