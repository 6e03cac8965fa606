using System.Text.Json;
using Atrous.Shapes;

namespace Atrous.Cli.Formats;

/// <summary>
/// GeoJSON (RFC 7946): a feature a region, in pixels from the picture's upper left corner. As numbers, outlines run
/// counter-clockwise, which the RFC asks for.
/// </summary>
internal static class GeoJson
{
    public static void Write(Stream stream, AnnotatedPicture picture)
    {
        using var json = new Utf8JsonWriter(stream, JsonFile.Options);
        json.WriteStartObject();
        json.WriteString("type", "FeatureCollection");
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
            json.WritePoints(ring.Points.Append(ring.Points[0]));
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteNumber("class", region.Label);
        json.WriteString("name", picture.NameOf(region));
        json.WriteString("colour", picture.Palette[region.Label].ToString());
        json.WriteNumber("pixels", region.Pixels);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
