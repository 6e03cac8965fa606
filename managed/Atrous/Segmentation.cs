using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Shapes;
using Atrous.Tensors;

namespace Atrous;

/// <summary>How long the parts of a segmentation took.</summary>
/// <param name="Preprocess">How long resizing and normalising took.</param>
/// <param name="Network">How long the network, the upsampling and the argmax took.</param>
public readonly record struct SegmentationTimings(TimeSpan Preprocess, TimeSpan Network);

/// <summary>
/// The mask of a picture: the class of every pixel, at the picture's own size. Plain managed memory: nothing to
/// dispose.
/// </summary>
public sealed class Segmentation
{
    private readonly LabelArray _labels;
    private readonly float[] _confidence;
    private readonly ulong[] _members;
    private readonly Lazy<IReadOnlyList<ClassShare>> _shares;

    internal Segmentation(
        int height, int width, LabelArray labels, float[] confidence, int classes, IReadOnlyList<string> classNames,
        SegmentationTimings timings, Palette? palette = null, ulong[]? members = null)
    {
        Palette = palette ?? Palette.For(classNames);
        Height = height;
        Width = width;
        _labels = labels;
        _confidence = confidence;
        _members = members ?? [];
        Classes = classes;
        ClassNames = classNames;
        Timings = timings;
        _shares = new(() => IsMultiLabel
            ? ClassShare.OfCounts(
                [.. Enumerable.Range(0, Classes).Select(Pixels)], _labels.Length - NoDataPixels)
            : ClassShare.Of(_labels, NoDataLabel));
    }

    /// <summary>The number of rows, that of the picture.</summary>
    public int Height { get; }

    /// <summary>The number of pixels in a row, that of the picture.</summary>
    public int Width { get; }

    /// <summary>Classes that the model scores.</summary>
    public int Classes { get; }

    /// <summary>One per class, or empty where the model has none.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// The classes' colours: those of the model's file, or else <see cref="Palette.For"/> of the classes.
    /// </summary>
    public Palette Palette { get; }

    /// <summary>
    /// A pixel can be of several classes, or of none (<see cref="ModelInfo.IsMultiLabel"/>): <see cref="Labels"/> has
    /// the most probable of them, and <see cref="Only"/> all pixels of one.
    /// </summary>
    public bool IsMultiLabel => _members.Length > 0;

    /// <summary>The class of every pixel, row by row.</summary>
    public ReadOnlySpan<ushort> Labels => _labels.Wide;

    /// <summary>The softmax probability of every pixel's class, row by row; empty unless asked for.</summary>
    public ReadOnlySpan<float> Confidence => _confidence;

    /// <summary>
    /// What was done otherwise than was asked for, a sentence: a CRF that had to work on a smaller picture. Null for
    /// nothing.
    /// </summary>
    public string? Note { get; internal init; }

    /// <summary>
    /// A label that is no class, of pixels of which the picture says that there is no data; null where it says nothing.
    /// They count for no share.
    /// </summary>
    internal int? NoDataLabel { get; init; }

    /// <summary>The same of a picture that says of some pixels that there is no data.</summary>
    /// <param name="missing">Those pixels, row by row.</param>
    /// <param name="noData">A label that is no class.</param>
    internal Segmentation Without(ReadOnlySpan<bool> missing, int noData)
    {
        ushort[] labels = [.. Labels];
        float[] confidence = [.. _confidence];
        ulong[] members = [.. _members];
        for (int i = 0; i < labels.Length; i++)
        {
            if (!missing[i])
                continue;
            labels[i] = (ushort)noData;
            if (confidence.Length > 0)
                confidence[i] = 0;
            if (members.Length > 0)
                members[i] = 0;
        }
        return new Segmentation(
            Height, Width, new LabelArray(labels), confidence, Classes, ClassNames, Timings, Palette, members)
        {
            Note = Note,
            NoDataLabel = noData,
        };
    }

    /// <summary>Pixels of <see cref="NoDataLabel"/>.</summary>
    internal long NoDataPixels => NoDataLabel is { } label ? Labels.Count((ushort)label) : 0;

    /// <summary>How long it took; of a batch, each picture's part.</summary>
    public SegmentationTimings Timings { get; }

    /// <summary>
    /// The classes that occur, the most frequent first. Where a pixel can be of several, it counts for each.
    /// </summary>
    public IReadOnlyList<ClassShare> Shares => _shares.Value;

    /// <summary>
    /// A mask of labels that the caller made, so that code which takes masks can be tested without a network.
    /// </summary>
    /// <param name="labels">The class of every pixel, row by row: height * width of them.</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="classes">The number of classes, 1 to 65536; every label is below it.</param>
    /// <param name="classNames">A name per class, or null where the classes have none.</param>
    /// <exception cref="ArgumentException">
    /// There are not height * width labels, one is no class, or there is not one name per class.
    /// </exception>
    public static Segmentation FromLabels(
        ReadOnlySpan<ushort> labels, int height, int width, int classes, IReadOnlyList<string>? classNames = null)
    {
        LabelMap.Check(labels, height, width);
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, ushort.MaxValue + 1);
        LabelMap.CheckClasses(labels, classes);
        if (classNames is { Count: > 0 } && classNames.Count != classes)
            throw new ArgumentException(
                $"There are {classNames.Count} names for {classes} classes; give one each, or none.",
                nameof(classNames));
        return new Segmentation(height, width, labels.ToArray(), [], classes, classNames ?? [], default);
    }

    /// <inheritdoc cref="FromLabels(ReadOnlySpan{ushort}, int, int, int, IReadOnlyList{string}?)"/>
    public static Segmentation FromLabels(
        ReadOnlySpan<byte> labels, int height, int width, int classes, IReadOnlyList<string>? classNames = null)
    {
        var wide = new ushort[labels.Length];
        LabelWidths.Widen(labels, wide);
        return FromLabels(wide, height, width, classes, classNames);
    }

    /// <summary>Writes the class of every pixel into memory of the caller's, row by row.</summary>
    /// <param name="destination">The memory for Height * Width labels or more.</param>
    /// <exception cref="ArgumentException">The memory is too small.</exception>
    public void CopyLabels(Span<ushort> destination) => Labels.CopyTo(destination);

    /// <summary>Writes the class of every pixel into memory of the caller's, row by row, a byte each.</summary>
    /// <param name="destination">The memory for Height * Width labels or more.</param>
    /// <exception cref="ArgumentException">The memory is too small.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model has more than 256 classes, which a byte cannot tell apart.
    /// </exception>
    public void CopyLabels(Span<byte> destination)
    {
        if (Classes > byte.MaxValue + 1)
            throw new InvalidOperationException(
                $"A byte cannot tell {Classes} classes apart; copy the labels as ushort.");
        if (destination.Length < _labels.Length)
            throw new ArgumentException(
                $"{_labels.Length} labels do not fit into {destination.Length} bytes.", nameof(destination));
        if (_labels.Narrow is { } narrow)
            narrow.CopyTo(destination);
        else
            LabelWidths.Narrow(_labels.Wide, destination);
    }

    /// <summary>The class of a pixel.</summary>
    /// <param name="y">The pixel's row, counted from 0 at the top.</param>
    /// <param name="x">The pixel's column, counted from 0 at the left.</param>
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
    /// <param name="label">The class, 0 to Classes - 1.</param>
    public string NameOf(int label) => label < ClassNames.Count ? ClassNames[label] : $"class {label}";

    /// <summary>The number of labels that a file of the mask has to tell apart.</summary>
    internal int FileClasses => NoDataLabel + 1 ?? Classes;

    /// <summary>The colours of the mask's file, where the user may name some.</summary>
    internal Palette Written(Palette? palette) => (palette ?? Palette).WithoutData(NoDataLabel);

    /// <summary>
    /// Writes the mask as PNG: 8-bit palette whose pixel is the class index, or 16-bit grey for more than 256 classes.
    /// </summary>
    /// <param name="path">The file's path; an existing file is overwritten.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette"/>.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public void SaveMask(string path, Palette? palette = null) =>
        LabelPng.Save(path, _labels, Height, Width, FileClasses, Written(palette));

    /// <summary>
    /// Writes the mask as PNG to a stream, in the format of <see cref="SaveMask(string, Palette?)"/>.
    /// </summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette"/>.</param>
    public void SaveMask(Stream stream, Palette? palette = null) =>
        LabelPng.Save(stream, _labels, Height, Width, FileClasses, Written(palette));

    /// <summary>As <see cref="SaveMask(string, Palette?)"/>, encoded on the thread pool.</summary>
    /// <param name="path">The file's path; an existing file is overwritten.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette"/>.</param>
    /// <param name="cancellationToken">Is looked at before the encoding and before the file is written.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task SaveMaskAsync(
        string path, Palette? palette = null, CancellationToken cancellationToken = default) =>
        LabelPng.SaveAsync(
            path, _labels, Height, Width, FileClasses, Written(palette), cancellationToken);

    /// <summary>As <see cref="SaveMask(Stream, Palette?)"/>, encoded on the thread pool.</summary>
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette"/>.</param>
    /// <param name="cancellationToken">Is looked at before the encoding and while the bytes are written.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task SaveMaskAsync(
        Stream stream, Palette? palette = null, CancellationToken cancellationToken = default) =>
        LabelPng.SaveAsync(
            stream, _labels, Height, Width, FileClasses, Written(palette), cancellationToken);

    /// <summary>
    /// The mask of one class alone: 1 where a pixel is of it, whatever else it is, and 0 elsewhere.
    /// </summary>
    /// <param name="label">The class, 0 to Classes - 1; where pixels can be of several, 0 is of those of none.</param>
    /// <returns>
    /// A mask of two classes, "background" and the class; its colours are black and the class's. It has no confidence.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public Segmentation Only(int label)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(label);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(label, Classes);
        var only = new ushort[_labels.Length];
        for (int i = 0; i < only.Length; i++)
            only[i] = Has(i, label) ? (ushort)1 : (ushort)0;
        string[] names = ["background", NameOf(label)];
        var colours = new Palette([new Rgb(0, 0, 0), Palette[label]], names);
        return new Segmentation(Height, Width, only, [], names.Length, names, Timings, colours);
    }

    /// <summary>
    /// COCO's run-lengths of every class that occurs, the lowest class first. Where a pixel can be of several classes,
    /// it is in the runs of each.
    /// </summary>
    public IReadOnlyList<CocoRle> RunLengths() => IsMultiLabel || NoDataLabel is not null
        ? [.. Shares.Select(share => share.Label).Order().Select(label =>
            CocoRle.Of(Only(label).Labels, Height, Width).First(run => run.Label == 1) with { Label = label })]
        : CocoRle.Of(Labels, Height, Width);

    /// <summary>
    /// The regions of the mask as polygons with holes, in the order of their first pixels. Exact unless
    /// <see cref="RegionOptions.Simplify"/> says otherwise: filling the polygons gives the same mask. Where a pixel can
    /// be of several classes they come class by class, each with all pixels of its class.
    /// </summary>
    /// <param name="options">Which regions, and how exactly; null for all of them, exactly.</param>
    /// <param name="cancellationToken">Is looked at between two rows and two lines.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<Region> Regions(
        RegionOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        if (NoDataLabel is not null)
            options = options with { Labels = options.Labels ?? Enumerable.Range(0, Classes).ToHashSet() };
        if (!IsMultiLabel)
            return RegionFinder.Find(_labels.Wide, Height, Width, options, cancellationToken);
        RegionOptions present = options with { Labels = [1] };
        return
        [
            .. Shares.Select(share => share.Label).Order().Where(label => options.Labels?.Contains(label) != false)
                .SelectMany(label => RegionFinder.Find(
                        Only(label)._labels.Wide, Height, Width, present, cancellationToken)
                    .Select(region => region with { Label = label })),
        ];
    }

    /// <summary>
    /// The picture with each pixel's class colour blended over it, but for a class that is called background, whose
    /// pixels stay as they are. The caller disposes it.
    /// </summary>
    /// <param name="photo">The picture that was segmented.</param>
    /// <param name="opacity">How opaque the colours are: 0 shows the photo alone, 1 the colours alone.</param>
    /// <param name="palette">The classes' colours; null for <see cref="Palette"/>.</param>
    /// <exception cref="ArgumentException">The picture has another size than the mask.</exception>
    public Image Overlay(Image photo, double opacity = 0.6, Palette? palette = null) =>
        Postprocessing.Overlay.Draw(photo, Labels, palette ?? Palette, opacity, Background, NoDataLabel);

    /// <summary>The mask itself, or where pixels can be of several classes the mask of each.</summary>
    internal IEnumerable<Segmentation> Layers() => IsMultiLabel
        ? Shares.Select(share => Only(share.Label))
        : [this];

    /// <summary>The overlay with a legend beside it: the classes' names, colours and shares.</summary>
    /// <param name="photo">The picture that was segmented.</param>
    /// <param name="options">What else is drawn, and in which colours; null for the defaults.</param>
    /// <returns>
    /// An RGB picture; wider than the photo where a legend or the photo is beside it. The caller disposes it.
    /// </returns>
    /// <exception cref="ArgumentException">The picture has another size than the mask.</exception>
    public Image Figure(Image photo, FigureOptions? options = null) =>
        MaskFigure.Draw(this, photo, options ?? new());

    /// <summary>The class that stands for nothing in particular; null where there is none.</summary>
    internal int? Background => Enumerable.Range(0, ClassNames.Count)
        .Where(label => ClassNames[label].Trim('_').Equals("background", StringComparison.OrdinalIgnoreCase))
        .Select(label => (int?)label).FirstOrDefault();

    private long Pixels(int label)
    {
        long pixels = 0;
        for (int i = 0; i < _labels.Length; i++)
            pixels += Has(i, label) ? 1 : 0;
        return pixels;
    }

    /// <summary>Whether a pixel is of a class, or of none where that is asked.</summary>
    private bool Has(int pixel, int label) =>
        !IsMultiLabel ? _labels[pixel] == label
        : label == 0 ? _members[pixel] == 0 && _labels[pixel] != NoDataLabel
        : (_members[pixel] >> (label - 1) & 1) != 0;
}
