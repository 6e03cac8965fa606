using System.Text.Encodings.Web;
using System.Text.Json;
using Atrous.Shapes;

namespace Atrous.Formats;

/// <summary>JSON as the formats have it.</summary>
internal static class JsonFile
{
    /// <summary>Names are written as they are: the files are no web pages.</summary>
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>[[x, y], ...] under a name or in a list.</summary>
    public static void WritePoints(this Utf8JsonWriter json, IEnumerable<GridPoint> points)
    {
        json.WriteStartArray();
        foreach (GridPoint point in points)
        {
            json.WriteStartArray();
            json.WriteNumberValue(point.X);
            json.WriteNumberValue(point.Y);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }
}
