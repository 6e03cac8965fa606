using System.Text.Json;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// LabelMe's JSON, which its editor opens beside the picture. A hole is joined to its outline by a slit.
/// </summary>
internal static class LabelMe
{
    /// <summary>The version of the format, which its reader compares with its own.</summary>
    private const string Version = "5.0.1";

    public static void Write(Stream stream, AnnotatedPicture picture)
    {
        using var json = new Utf8JsonWriter(stream, JsonFile.Options);
        json.WriteStartObject();
        json.WriteString("version", Version);
        json.WriteStartObject("flags");
        json.WriteEndObject();
        json.WriteStartArray("shapes");
        foreach (Region region in picture.Regions)
        {
            json.WriteStartObject();
            json.WriteString("label", picture.NameOf(region));
            json.WritePropertyName("points");
            json.WritePoints(RegionSlits.Outline(region));
            json.WriteNull("group_id");
            json.WriteString("shape_type", "polygon");
            json.WriteStartObject("flags");
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("imagePath", Path.GetFileName(picture.Name));
        json.WriteNull("imageData");
        json.WriteNumber("imageHeight", picture.Height);
        json.WriteNumber("imageWidth", picture.Width);
        json.WriteEndObject();
    }
}
