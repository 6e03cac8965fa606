using System.Globalization;
using System.Text.Json;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Typed access to the `config.json` beside the weights; null where there is none, or no such entry in it. Every error
/// names the folder and the entry.
/// </summary>
internal static class ConfigFacts
{
    public static int? ConfigNumber(this ICheckpoint checkpoint, string key) =>
        Entry(checkpoint, key) is not { } entry ? null
            : entry.ValueKind == JsonValueKind.Number && entry.TryGetInt32(out int number) ? number
            : throw Wrong(checkpoint, key, entry, "a whole number");

    public static double? ConfigReal(this ICheckpoint checkpoint, string key) =>
        Entry(checkpoint, key) is not { } entry ? null
            : entry.ValueKind == JsonValueKind.Number ? entry.GetDouble()
            : throw Wrong(checkpoint, key, entry, "a number");

    public static bool? ConfigFlag(this ICheckpoint checkpoint, string key) =>
        Entry(checkpoint, key) is not { } entry ? null
            : entry.ValueKind is JsonValueKind.True or JsonValueKind.False ? entry.GetBoolean()
            : throw Wrong(checkpoint, key, entry, "true or false");

    public static string? ConfigText(this ICheckpoint checkpoint, string key) =>
        Entry(checkpoint, key) is not { } entry ? null
            : entry.ValueKind == JsonValueKind.String ? entry.GetString()
            : throw Wrong(checkpoint, key, entry, "a text");

    public static int[]? ConfigNumbers(this ICheckpoint checkpoint, string key)
    {
        if (Entry(checkpoint, key) is not { } entry)
            return null;
        bool fits = entry.ValueKind == JsonValueKind.Array
            && entry.EnumerateArray()
            .All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int n) && n > 0);
        return fits
            ? [.. entry.EnumerateArray().Select(item => item.GetInt32())]
            : throw Wrong(checkpoint, key, entry, "a list of positive whole numbers");
    }

    /// <summary>
    /// Hugging Face's id2label, where it names every class; empty where it does not, or only says "LABEL_0".
    /// </summary>
    public static string[] ConfigClassNames(this ICheckpoint checkpoint, int classes)
    {
        if (Entry(checkpoint, "id2label") is not { ValueKind: JsonValueKind.Object } labels)
            return [];
        var names = new string[classes];
        for (int i = 0; i < classes; i++)
        {
            bool named = labels.TryGetProperty(i.ToString(CultureInfo.InvariantCulture), out JsonElement name)
                && name.ValueKind == JsonValueKind.String;
            if (!named || name.GetString()!.StartsWith("LABEL_", StringComparison.Ordinal))
                return [];
            names[i] = name.GetString()!;
        }
        return names;
    }

    private static JsonElement? Entry(ICheckpoint checkpoint, string key) =>
        checkpoint.Config is { ValueKind: JsonValueKind.Object } config
        && config.TryGetProperty(key, out JsonElement entry) && entry.ValueKind != JsonValueKind.Null
            ? entry
            : null;

    private static ModelException Wrong(ICheckpoint checkpoint, string key, JsonElement entry, string expected)
    {
        string text = entry.GetRawText();
        if (text.Length > 40)
            text = text[..40] + "...";
        return new ModelException($"'{checkpoint.Path}': the entry '{key}' of config.json is {text}, not {expected}.");
    }
}
