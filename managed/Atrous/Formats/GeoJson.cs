using System.Globalization;
using System.Text.Json;
using Atrous.Imaging.Maps;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// GeoJSON (RFC 7946): a feature a region, in the coordinates of the map that the picture is, or in pixels from its
/// upper left corner. As numbers, outlines run counter-clockwise, which the RFC asks for. Coordinates of another system
/// than WGS 84 are named as GeoJSON named them before the RFC, which is what programs read; a system without a number,
/// and that of pixels, is null: without that programs take any numbers for degrees.
/// </summary>
internal static class GeoJson
{
    private const int Wgs84 = 4326;

    public static void Write(Stream stream, AnnotatedPicture picture)
    {
        using var json = new Utf8JsonWriter(stream, JsonFile.Options);
        json.WriteStartObject();
        json.WriteString("type", "FeatureCollection");
        if (picture.Place?.Epsg is { } system and not Wgs84)
        {
            json.WriteStartObject("crs");
            json.WriteString("type", "name");
            json.WriteStartObject("properties");
            json.WriteString("name", string.Create(CultureInfo.InvariantCulture, $"urn:ogc:def:crs:EPSG::{system}"));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        else if (picture.Place?.Epsg is null)
        {
            json.WriteNull("crs"); // as GeoJSON said it before the RFC: no system is to be assumed
        }
        json.WriteStartArray("features");
        foreach (Region region in picture.Regions)
            Write(json, picture, region);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AnnotatedPicture picture, Region region)
    {
        json.WriteStartObject();
        json.WriteString("type", "Feature");
        json.WriteStartObject("geometry");
        json.WriteString("type", "Polygon");
        json.WriteStartArray("coordinates");
        foreach (Ring ring in region.Rings)
        {
            IEnumerable<GridPoint> points = ring.Points.Append(ring.Points[0]);
            if (picture.Place is { } place)
                WritePlaces(json, place, points);
            else
                json.WritePoints(points);
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteNumber("class", region.Label);
        json.WriteString("name", picture.NameOf(region));
        json.WriteString("colour", picture.Palette[region.Label].ToString());
        json.WriteNumber("pixels", region.Pixels);
        if (picture.Place is { } map && AreaOf(region, map) is { } area)
            json.WriteNumber("squareMetres", area);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>A map's y goes up and a picture's down, which turns the lines round.</summary>
    private static void WritePlaces(Utf8JsonWriter json, GeoReference place, IEnumerable<GridPoint> points)
    {
        json.WriteStartArray();
        foreach (GridPoint point in place.IsMirrored ? points : points.Reverse())
        {
            (double x, double y) = place.Place(point.X, point.Y);
            json.WriteStartArray();
            json.WriteNumberValue(x);
            json.WriteNumberValue(y);
            json.WriteEndArray();
        }
        json.WriteEndArray();
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
