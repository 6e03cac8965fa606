using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>
/// Which class each label, or colour, of a data set's label maps is. What has no class is refused, not guessed.
/// </summary>
internal sealed class LabelMapping
{
    /// <summary>The label of what is not scored, in the maps that <see cref="Read"/> gives.</summary>
    public const int Ignored = ushort.MaxValue;

    private const int None = -1;
    private readonly int[] _labels = new int[ushort.MaxValue + 1];
    private readonly Dictionary<Rgb, int> _colours = [];
    private readonly int _classes, _restOfColours;
    private readonly bool _hasLabels, _paletteIsLabels;

    /// <param name="rules">What becomes of labels and colours.</param>
    /// <param name="classes">How many classes the model has.</param>
    /// <param name="ignore">A label that is not scored; null for none but what the rules say.</param>
    /// <param name="overRules">Whether it is not scored even where a rule gives it a class.</param>
    public LabelMapping(LabelRules rules, int classes, int? ignore, bool overRules)
    {
        _classes = classes;
        int rest = rules.Rest is { } all ? Named(all) : None;
        _restOfColours = rest;
        _paletteIsLabels = rules.PaletteIsLabels;
        _hasLabels = rules.Labels.Count > 0 || rules.Shift is not null;
        Array.Fill(_labels, rest);
        if (rules.Shift is { } shift)
        {
            for (int label = 0; label < _labels.Length; label++)
            {
                int moved = label + shift;
                _labels[label] = moved < 0 ? Ignored : moved < classes || rest == None ? moved : rest;
            }
        }
        if (ignore is { } left)
            _labels[left] = Ignored;
        foreach ((int label, int to) in rules.Labels)
            _labels[label] = Named(to);
        if (overRules && ignore is { } named)
            _labels[named] = Ignored;
        foreach ((Rgb colour, int to) in rules.Colours)
            _colours[colour] = Named(to);

        // Tables from elsewhere write 255 for what is not scored, where no class has that number.
        int Named(int to) => to == ignore && to >= classes ? Ignored : to;
    }

    /// <summary>
    /// The map with classes for its labels and <see cref="Ignored"/> for what is not scored. Files of colours and
    /// palettes are read by their colours where the rules name any, all others by their numbers; palettes too where
    /// the rules say so.
    /// </summary>
    /// <param name="path">The path of a file that keeps colours exactly: PNG, TIFF, GIF or BMP.</param>
    /// <param name="maxPixels">What its header may claim.</param>
    /// <exception cref="ImageException">The file is no label map, or holds what has no class.</exception>
    public LabelImage Read(string path, long maxPixels)
    {
        if (_colours.Count == 0)
            return OfLabels(LabelImage.Load(path, maxPixels));
        ImageInfo header = Image.Probe(path);
        if (header.Format is ImageFormat.Jpeg or ImageFormat.WebP)
            throw new ImageException("The file does not keep colours exactly; save the label map as PNG.");
        const int grey = 2;
        return (header.Channels <= grey && _hasLabels) || (_paletteIsLabels && IsPalettePng(header, path))
            ? OfLabels(LabelImage.Load(path, maxPixels))
            : OfColours(path, maxPixels);
    }

    /// <summary>The header's colour type, behind signature, length, name, size and depth.</summary>
    private static bool IsPalettePng(ImageInfo header, string path)
    {
        const int at = 25, palette = 3;
        if (header.Format != ImageFormat.Png)
            return false;
        Span<byte> start = stackalloc byte[at + 1];
        using FileStream file = File.OpenRead(path);
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) > at && start[at] == palette;
    }

    private LabelImage OfLabels(LabelImage map)
    {
        var mapped = new ushort[map.Labels.Length];
        for (int i = 0; i < mapped.Length; i++)
        {
            int label = map.Labels[i], to = _labels[label];
            if (!IsClass(to))
                throw Unknown($"label {label}", i, map.Width, to);
            mapped[i] = (ushort)to;
        }
        return new LabelImage(mapped, map.Height, map.Width) { Warning = map.Warning };
    }

    private LabelImage OfColours(string path, long maxPixels)
    {
        using Image file = Image.Load(path, maxPixels);
        using Image map = file.WithChannels(3);
        var mapped = new ushort[map.Height * map.Width];
        ReadOnlySpan<byte> pixels = map.Pixels;
        // Neighbours are mostly of one colour.
        Rgb last = default;
        int to = _colours.GetValueOrDefault(last, _restOfColours);
        for (int i = 0; i < mapped.Length; i++)
        {
            var colour = new Rgb(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
            if (colour != last)
                (last, to) = (colour, _colours.GetValueOrDefault(colour, _restOfColours));
            if (!IsClass(to))
                throw Unknown($"colour {colour}", i, map.Width, to);
            mapped[i] = (ushort)to;
        }
        return new LabelImage(mapped, map.Height, map.Width) { Warning = file.Warning };
    }

    private bool IsClass(int label) => (uint)label < (uint)_classes || label == Ignored;

    private ImageException Unknown(string what, int at, int width, int to) => new(
        $"The {what} (row {at / width}, column {at % width}) has no class"
        + (to == None ? "" : $": it would be {to}, and the model's go from 0 to {_classes - 1}")
        + "; use the label maps that belong to this mapping, or name its class, or that it is not scored.")
    {
        Remedy = Remedy.MapLabels,
    };
}
