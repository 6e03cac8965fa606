using System.Globalization;
using System.Text.Json;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>
/// Label Studio's tasks with predictions, for a labelling configuration with an Image named "image" and PolygonLabels
/// named "label". Corners are percents of the picture's sides. A hole is joined to its outline by a slit.
/// </summary>
internal sealed class LabelStudioWriter : RunWriter
{
    private readonly Utf8JsonWriter _json;

    public LabelStudioWriter(Stream stream)
    {
        _json = new Utf8JsonWriter(stream, JsonFile.Options);
        _json.WriteStartArray();
    }

    public override void Add(AnnotatedPicture picture)
    {
        _json.WriteStartObject();
        _json.WriteStartObject("data");
        _json.WriteString("image", picture.Name);
        _json.WriteEndObject();
        _json.WriteStartArray("predictions");
        _json.WriteStartObject();
        _json.WriteString("model_version", "atrous");
        _json.WriteStartArray("result");
        for (int i = 0; i < picture.Regions.Count; i++)
            Write(picture, picture.Regions[i], i);
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
    }

    public override void Dispose()
    {
        _json.WriteEndArray();
        _json.Dispose();
    }

    private void Write(AnnotatedPicture picture, Region region, int index)
    {
        _json.WriteStartObject();
        _json.WriteString("id", index.ToString(CultureInfo.InvariantCulture));
        _json.WriteString("type", "polygonlabels");
        _json.WriteString("from_name", "label");
        _json.WriteString("to_name", "image");
        _json.WriteNumber("original_width", picture.Width);
        _json.WriteNumber("original_height", picture.Height);
        _json.WriteNumber("image_rotation", 0);
        _json.WriteStartObject("value");
        _json.WriteStartArray("points");
        foreach (GridPoint point in RegionSlits.Outline(region))
        {
            _json.WriteStartArray();
            _json.WriteNumberValue(100.0 * point.X / picture.Width);
            _json.WriteNumberValue(100.0 * point.Y / picture.Height);
            _json.WriteEndArray();
        }
        _json.WriteEndArray();
        _json.WriteBoolean("closed", true);
        _json.WriteStartArray("polygonlabels");
        _json.WriteStringValue(picture.NameOf(region));
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.WriteEndObject();
    }
}
