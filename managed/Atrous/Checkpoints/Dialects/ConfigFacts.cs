using System.Globalization;
using System.Text.Json;

namespace Atrous.Checkpoints.Dialects;

/// <summary>The `config.json` beside the weights.</summary>
internal static class ConfigFacts
{
    private const string File = "config.json";

    /// <summary>All of it; without entries where there is none.</summary>
    public static JsonFacts ConfigFile(this ICheckpoint checkpoint) => new(checkpoint.Path, File, checkpoint.Config);

    /// <summary>
    /// Hugging Face's id2label, where it names every class; empty where it does not, or only says "LABEL_0".
    /// </summary>
    public static string[] ConfigClassNames(this ICheckpoint checkpoint, int classes)
    {
        if (checkpoint.ConfigFile()["id2label"] is not { ValueKind: JsonValueKind.Object } labels)
            return [];
        // Read once: to look each class up anew would take as long as all that went before, every time.
        var byNumber = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty label in labels.EnumerateObject())
            byNumber[label.Name] = label.Value;
        if (byNumber.Count < classes)
            return [];
        var names = new string[classes];
        for (int i = 0; i < classes; i++)
        {
            bool named = byNumber.TryGetValue(i.ToString(CultureInfo.InvariantCulture), out JsonElement name)
                && name.ValueKind == JsonValueKind.String;
            if (!named || name.GetString()!.StartsWith("LABEL_", StringComparison.Ordinal))
                return [];
            names[i] = name.GetString()!;
        }
        return names;
    }
}
