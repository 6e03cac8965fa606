using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous;

/// <summary>How long the parts of a segmentation took.</summary>
/// <param name="Preprocess">Resizing and normalising.</param>
/// <param name="Network">The network, the upsampling and the argmax.</param>
public readonly record struct SegmentationTimings(TimeSpan Preprocess, TimeSpan Network);

/// <summary>
/// The mask of a picture: the class of every pixel, at the picture's own size. Plain managed memory: nothing to
/// dispose.
/// </summary>
public sealed class Segmentation
{
    private readonly ushort[] _labels;
    private readonly float[] _confidence;
    private readonly Lazy<IReadOnlyList<ClassShare>> _shares;

    internal Segmentation(
        int width, int height, ushort[] labels, float[] confidence, int classes, IReadOnlyList<string> classNames,
        SegmentationTimings timings)
    {
        Width = width;
        Height = height;
        _labels = labels;
        _confidence = confidence;
        Classes = classes;
        ClassNames = classNames;
        Timings = timings;
        _shares = new(() => ClassShare.Of(_labels));
    }

    /// <summary>Pixels of a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Classes that the model scores.</summary>
    public int Classes { get; }

    /// <summary>One per class, or empty where the model has none.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The class of every pixel, row by row.</summary>
    public ReadOnlySpan<ushort> Labels => _labels;

    /// <summary>The softmax probability of every pixel's class, row by row; empty unless asked for.</summary>
    public ReadOnlySpan<float> Confidence => _confidence;

    /// <summary>How long it took; of a batch, each picture's part.</summary>
    public SegmentationTimings Timings { get; }

    /// <summary>The classes that occur, the most frequent first.</summary>
    public IReadOnlyList<ClassShare> Shares => _shares.Value;

    /// <summary>The class of a pixel.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such pixel.</exception>
    public int this[int y, int x]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(y);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(y, Height);
            ArgumentOutOfRangeException.ThrowIfNegative(x);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(x, Width);
            return _labels[y * Width + x];
        }
    }

    /// <summary>The name of a class, or "class 7" where the model has none.</summary>
    public string NameOf(int label) => label < ClassNames.Count ? ClassNames[label] : $"class {label}";

    /// <summary>
    /// Writes the mask as PNG: 8-bit palette whose pixel is the class index, or 16-bit grey for more than 256 classes.
    /// </summary>
    /// <param name="path">Of the file, which is overwritten.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette.For"/> of the classes.</param>
    /// <exception cref="AtrousException">The file cannot be written.</exception>
    public void SaveMask(string path, Palette? palette = null) =>
        LabelPng.Save(path, _labels, Height, Width, Classes, palette ?? Palette.For(ClassNames));

    /// <summary>
    /// Writes the mask as PNG to a stream, in the format of <see cref="SaveMask(string, Palette?)"/>.
    /// </summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette.For"/> of the classes.</param>
    public void SaveMask(Stream stream, Palette? palette = null) =>
        LabelPng.Save(stream, _labels, Height, Width, Classes, palette ?? Palette.For(ClassNames));

    /// <summary>COCO's run-lengths of every class that occurs, the lowest class first.</summary>
    public IReadOnlyList<CocoRle> RunLengths() => CocoRle.Of(_labels, Height, Width);

    /// <summary>The picture with each pixel's class colour blended over it. The caller disposes it.</summary>
    /// <param name="photo">The picture that was segmented.</param>
    /// <param name="opacity">Of the colours: 0 shows the photo alone, 1 the colours alone.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette.For"/> of the classes.</param>
    /// <exception cref="ArgumentException">The picture has another size than the mask.</exception>
    public Image Overlay(Image photo, double opacity = 0.6, Palette? palette = null) =>
        Postprocessing.Overlay.Draw(photo, _labels, palette ?? Palette.For(ClassNames), opacity);
}
