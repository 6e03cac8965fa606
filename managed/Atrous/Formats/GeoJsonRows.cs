using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>GeoJSON of a mask that is never held whole: each region is written after its last row.</summary>
internal sealed class GeoJsonRows : IDisposable
{
    private readonly GeoJson _file;
    private readonly RegionSweep _regions;

    /// <param name="stream">Gets the file; it stays open.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="place">Where the picture lies on a map; null for nowhere.</param>
    /// <param name="wanted">Which regions; they are exact.</param>
    /// <param name="classes">The names and colours of the classes.</param>
    public GeoJsonRows(Stream stream, int width, GeoReference? place, RegionOptions wanted, RunClasses classes)
    {
        _file = new GeoJson(stream, place);
        bool tells = place?.PixelArea(0) is not null;
        // What has no data is no class.
        RegionOptions options = wanted with
        {
            Labels = wanted.Labels ?? Enumerable.Range(0, classes.Names.Count).ToHashSet(),
        };
        _regions = new RegionSweep(
            width, options, row => place?.PixelArea(row) ?? 0,
            (region, area) => _file.Add(
                region, classes.Names[region.Label], classes.Palette[region.Label], tells ? area : null));
    }

    /// <summary>The next rows, whole ones.</summary>
    /// <param name="labels">One class per pixel, row by row.</param>
    /// <exception cref="MemoryException">Regions that go on take too much memory.</exception>
    public void Add(ReadOnlySpan<ushort> labels) => _regions.Add(labels);

    /// <summary>Writes the regions of the last row and ends the file, once all rows were added.</summary>
    public void End()
    {
        _regions.End();
        _file.End();
    }

    public void Dispose() => _file.Dispose();
}
