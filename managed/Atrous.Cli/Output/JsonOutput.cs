using System.Text.Encodings.Web;
using System.Text.Json;

namespace Atrous.Cli.Output;

/// <summary>
/// JSON on standard output, by hand: serializers cost more start-up time than the documents here are worth.
/// </summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions Options = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>One document and a line break.</summary>
    public static void Write(Action<Utf8JsonWriter> contents)
    {
        using Stream output = StandardStream.OpenOutput();
        using (var json = new Utf8JsonWriter(output, Options))
            contents(json);
        output.WriteByte((byte)'\n');
    }

    public static void WriteNames(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    public static void WriteNumbers(this Utf8JsonWriter json, string name, IEnumerable<float> values)
    {
        json.WriteStartArray(name);
        foreach (float value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
