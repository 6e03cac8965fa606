using System.Numerics;
using System.Text.Json;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// The plain values of a pickle as JSON, for those who read a configuration from it: texts, numbers, lists and
/// dictionaries, and the fields of objects (a Namespace, a data class, OmegaConf's containers). What is none of these
/// is left out.
/// </summary>
internal static class PickleJson
{
    // Configurations are small; pickles can refer to one value a million times.
    private const int MaxDepth = 12, MaxValues = 20_000;

    /// <summary>Null where the value is no plain one, or is too large for a configuration.</summary>
    public static JsonElement? Of(object? value)
    {
        var bytes = new MemoryStream();
        int left = MaxValues;
        using (var json = new Utf8JsonWriter(bytes))
        {
            if (!IsPlain(Inside(value)))
                return null;
            Write(json, value, MaxDepth, ref left);
        }
        if (left < 0)
            return null;
        using JsonDocument document = JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
        return document.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter json, object? value, int depth, ref int left)
    {
        left--;
        switch (depth > 0 && left >= 0 ? Inside(value) : null)
        {
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case long number: json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case PickleDict dict:
                json.WriteStartObject();
                foreach ((string key, object? item) in dict.Items)
                {
                    if (left < 0)
                        break;
                    if (!IsPlain(Inside(item)))
                        continue;
                    json.WritePropertyName(key);
                    Write(json, item, depth - 1, ref left);
                }
                json.WriteEndObject();
                break;
            case object?[] items: WriteList(json, items, depth, ref left); break;
            case PickleList list: WriteList(json, list.Items, depth, ref left); break;
            default: json.WriteNullValue(); break;
        }
    }

    private static void WriteList(Utf8JsonWriter json, IReadOnlyList<object?> items, int depth, ref int left)
    {
        json.WriteStartArray();
        foreach (object? item in items)
        {
            if (left < 0)
                break;
            Write(json, item, depth - 1, ref left);
        }
        json.WriteEndArray();
    }

    private static bool IsPlain(object? value) =>
        value is null or string or bool or long or double or BigInteger or PickleDict or PickleList or object?[];

    /// <summary>
    /// The entries of a dictionary by inheritance, or the state; of a tuple (mmcv's Config) or of the arguments of a
    /// constructor (mmengine's ConfigDict) the first.
    /// </summary>
    private static PickleDict? FieldsOf(PickleObject made) => made switch
    {
        { Entries: { } entries } => entries,
        { State: PickleDict state } => state,
        { State: object?[] and [var first, ..] } => first as PickleDict ?? (first as PickleObject)?.Entries,
        { State: null, Arguments: [PickleDict only] } => only,
        _ => null,
    };

    /// <summary>An object's fields; what OmegaConf's containers and nodes hold.</summary>
    private static object? Inside(object? value)
    {
        for (int i = 0; i < MaxDepth && value is PickleObject made && FieldsOf(made) is { } fields; i++)
        {
            value = fields.Items.TryGetValue("_content", out object? content) ? content
                : fields.Items.TryGetValue("_val", out object? node) ? node
                : fields;
        }
        return value;
    }
}
