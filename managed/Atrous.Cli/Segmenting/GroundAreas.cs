using Atrous.Imaging.Maps;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>How many pixels of each class there are, and how many square metres of a map.</summary>
internal sealed class GroundAreas
{
    private readonly long[] _pixels;
    private readonly double[] _areas;
    private readonly int _width;
    private readonly GeoReference? _place;

    /// <param name="labels">One more than the largest label.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="place">Where the pixels lie; null for nowhere.</param>
    public GroundAreas(int labels, int width, GeoReference? place)
    {
        (_pixels, _areas, _width) = (new long[labels], new double[labels], width);
        _place = place?.PixelArea(0) is null ? null : place;
    }

    /// <summary>The pixels of a label that is no class.</summary>
    public long PixelsOf(int label) => _pixels[label];

    /// <summary>Adds whole rows of a mask.</summary>
    public void Add(int top, ReadOnlySpan<ushort> labels)
    {
        var counts = new long[_pixels.Length];
        for (; !labels.IsEmpty; labels = labels[_width..], top++)
        {
            foreach (ushort label in labels[.._width])
                counts[label]++;
            double area = _place?.PixelArea(top) ?? 0;
            for (int label = 0; label < counts.Length; label++)
            {
                _pixels[label] += counts[label];
                _areas[label] += counts[label] * area;
            }
            Array.Clear(counts);
        }
    }

    /// <summary>The classes that occur, the most frequent first.</summary>
    public IReadOnlyList<ClassShare> Shares(int classes) => ClassShare.OfCounts(_pixels[..classes]);

    /// <summary>The square metres of the classes that occur; null where no map tells.</summary>
    public IReadOnlyDictionary<int, double>? Areas(int classes) => _place is null ? null : Enumerable.Range(0, classes)
        .Where(label => _pixels[label] > 0).ToDictionary(label => label, label => _areas[label]);

    /// <summary>The square metres of a mask's classes; null where no map tells.</summary>
    public static IReadOnlyDictionary<int, double>? Of(Segmentation mask, GeoReference? place)
    {
        if (place?.PixelArea(0) is null)
            return null;
        if (!mask.IsMultiLabel)
            return Sum(mask, mask.FileClasses).Areas(mask.Classes);
        return mask.Shares.ToDictionary(
            share => share.Label, share => Sum(mask.Only(share.Label), 2).Areas(2)!.GetValueOrDefault(1));

        GroundAreas Sum(Segmentation layer, int labels)
        {
            var sum = new GroundAreas(labels, layer.Width, place);
            sum.Add(0, layer.Labels);
            return sum;
        }
    }
}
