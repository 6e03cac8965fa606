using System.Globalization;
using System.Text.Json;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// GeoJSON (RFC 7946): a feature a region, in the coordinates of the map that the picture is, or in pixels from its
/// upper left corner. As numbers, outlines run counter-clockwise, which the RFC asks for. Coordinates of another system
/// than WGS 84 are named as GeoJSON named them before the RFC, which is what programs read; a system without a number,
/// and that of pixels, is null: without that programs take any numbers for degrees.
/// </summary>
internal sealed class GeoJson : IDisposable
{
    private const int Wgs84 = 4326;

    /// <summary>Bytes that are held before they are written.</summary>
    private const int Piece = 1 << 16;

    private readonly Utf8JsonWriter _json;
    private readonly GeoReference? _place;

    /// <param name="stream">Gets the file; it stays open.</param>
    /// <param name="place">Where the picture lies on a map; null for nowhere.</param>
    public GeoJson(Stream stream, GeoReference? place)
    {
        _json = new Utf8JsonWriter(stream, JsonFile.Options);
        _place = place;
        _json.WriteStartObject();
        _json.WriteString("type", "FeatureCollection");
        if (place?.Epsg is { } system and not Wgs84)
        {
            _json.WriteStartObject("crs");
            _json.WriteString("type", "name");
            _json.WriteStartObject("properties");
            _json.WriteString("name", string.Create(CultureInfo.InvariantCulture, $"urn:ogc:def:crs:EPSG::{system}"));
            _json.WriteEndObject();
            _json.WriteEndObject();
        }
        else if (place?.Epsg is null)
        {
            _json.WriteNull("crs"); // as GeoJSON said it before the RFC: no system is to be assumed
        }
        _json.WriteStartArray("features");
    }

    public static void Write(Stream stream, AnnotatedPicture picture)
    {
        using var file = new GeoJson(stream, picture.Place);
        foreach (Region region in picture.Regions)
        {
            double? area = picture.Place is { } map ? AreaOf(region, map) : null;
            file.Add(region, picture.NameOf(region), picture.Palette[region.Label], area);
        }
        file.End();
    }

    /// <summary>Adds a region.</summary>
    /// <param name="region">The region, in pixels.</param>
    /// <param name="name">The name of its class.</param>
    /// <param name="colour">The colour of its class.</param>
    /// <param name="area">Its square metres; null where no map tells.</param>
    public void Add(Region region, string name, Rgb colour, double? area)
    {
        _json.WriteStartObject();
        _json.WriteString("type", "Feature");
        _json.WriteStartObject("geometry");
        _json.WriteString("type", "Polygon");
        _json.WriteStartArray("coordinates");
        foreach (Ring ring in region.Rings)
            Write(ring.Points);
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteStartObject("properties");
        _json.WriteNumber("class", region.Label);
        _json.WriteString("name", name);
        _json.WriteString("colour", colour.ToString());
        _json.WriteNumber("pixels", region.Pixels);
        if (area is { } metres)
            _json.WriteNumber("squareMetres", metres);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    /// <summary>Ends the file.</summary>
    public void End()
    {
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
    }

    public void Dispose() => _json.Dispose();

    /// <summary>A map's y goes up and a picture's down, which turns the lines round.</summary>
    private void Write(IReadOnlyList<GridPoint> points)
    {
        bool isTurned = _place is { IsMirrored: false };
        _json.WriteStartArray();
        for (int i = 0; i <= points.Count; i++)
        {
            GridPoint point = points[(isTurned ? points.Count - i : i) % points.Count];
            (double x, double y) = _place?.Place(point.X, point.Y) ?? (point.X, point.Y);
            _json.WriteStartArray();
            _json.WriteNumberValue(x);
            _json.WriteNumberValue(y);
            _json.WriteEndArray();
            if (_json.BytesPending > Piece)
                _json.Flush();
        }
        _json.WriteEndArray();
    }

    /// <summary>The square metres of the region's pixels, which need not be equally large in all rows.</summary>
    private static double? AreaOf(Region region, GeoReference place)
    {
        (_, int top, _, int rows) = region.Bounds;
        if (place.PixelArea(top) is not { } first)
            return null;
        if (place.PixelArea(top + rows / 2) == first && place.PixelArea(top + rows - 1) == first)
            return region.Pixels * first;
        double[] until = new double[rows + 1];
        for (int y = 0; y < rows; y++)
            until[y + 1] = until[y] + place.PixelArea(top + y)!.Value;
        (long pixels, double area) = (0, 0);
        foreach ((_, int begin, int end) in RegionRuns.Columns(region))
        {
            pixels += end - begin;
            area += until[end - top] - until[begin - top];
        }
        // Lines that were simplified enclose other pixels than there are.
        return pixels == 0 ? region.Pixels * first : region.Pixels * (area / pixels);
    }
}
