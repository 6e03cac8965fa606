using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Shapes;
using Atrous.Tensors;

namespace Atrous.Formats;

/// <summary>A picture with its mask, to be written in some format.</summary>
/// <param name="Name">The picture's file, below the folder that was given, with slashes.</param>
/// <param name="Photo">The picture that was segmented.</param>
/// <param name="Mask">The mask of the picture.</param>
/// <param name="Palette">The colours of the classes.</param>
/// <param name="Wanted">Which regions, and how exactly.</param>
internal sealed record AnnotatedPicture(
    string Name, Image Photo, Segmentation Mask, Palette Palette, RegionOptions Wanted)
{
    private IReadOnlyList<Region>? _regions;

    /// <summary>How opaque the classes' colours are over the photo.</summary>
    public double Opacity { get; init; } = 0.6;

    /// <summary>Where the picture lies on a map; null for nowhere.</summary>
    public GeoReference? Place { get; init; }

    /// <summary>
    /// The probabilities, [1, height, width, classes], where a format needs them. They are the maker's to dispose.
    /// </summary>
    public Tensor? Probabilities { get; init; }

    /// <summary>Of a map, what its file says of its place; null for nothing.</summary>
    public GeoTags? Tags { get; init; }

    public int Height => Mask.Height;

    public int Width => Mask.Width;

    /// <summary>The regions, found once for all formats.</summary>
    public IReadOnlyList<Region> Regions => _regions ??= Mask.Regions(Wanted);

    public string NameOf(Region region) => Mask.NameOf(region.Label);
}
