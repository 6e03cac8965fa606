using System.Text.Json;

namespace Atrous.Checkpoints.Dialects;

/// <summary>What a JSON value is, read as a number, a text or a list; null where it is something else.</summary>
internal static class JsonValues
{
    /// <summary>An entry of an object that is not null; none in anything else.</summary>
    public static JsonElement? Entry(JsonElement? root, string key) =>
        root is { ValueKind: JsonValueKind.Object } entries && entries.TryGetProperty(key, out JsonElement entry)
        && entry.ValueKind != JsonValueKind.Null
            ? entry
            : null;

    public static int? Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : null;

    public static double? Real(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && double.IsFinite(value.GetDouble()) ? value.GetDouble() : null;

    public static bool? Flag(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    public static string? Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Whole numbers above 0, one at least; one number stands for a list of one.</summary>
    public static int[]? Numbers(JsonElement value) =>
        All<int>(value, item => Number(item) is > 0 and var number ? number : null);

    /// <summary>One number at least; one that is alone stands for a list of one.</summary>
    public static float[]? Reals(JsonElement value) =>
        All<float>(value, item => Real(item) is { } real && float.IsFinite((float)real) ? item.GetSingle() : null);

    /// <summary>A list of texts, one at least.</summary>
    public static string[]? Texts(JsonElement? value)
    {
        if (value is not { ValueKind: JsonValueKind.Array } list)
            return null;
        string[] texts = [.. list.EnumerateArray().Select(Text).OfType<string>()];
        return texts.Length > 0 && texts.Length == list.GetArrayLength() ? texts : null;
    }

    private static T[]? All<T>(JsonElement value, Func<JsonElement, T?> read)
        where T : struct
    {
        T?[] items = value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(read)]
            : [read(value)];
        return items.Length > 0 && Array.TrueForAll(items, item => item is not null)
            ? Array.ConvertAll(items, item => item!.Value)
            : null;
    }
}
