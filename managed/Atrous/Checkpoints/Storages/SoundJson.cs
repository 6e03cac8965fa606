using System.Text;
using System.Text.Json;

namespace Atrous.Checkpoints.Storages;

/// <summary>
/// JSON documents beside a checkpoint, all of whose texts can be read: half a surrogate pair, or bytes that are no
/// UTF-8, are found here instead of by whoever asks for that text first.
/// </summary>
internal static class SoundJson
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private const int MaxCharacters = 1 << 16, MaxValues = 500_000;

    /// <summary>The document's root.</summary>
    /// <param name="file">The file that holds it.</param>
    /// <param name="what">What it is, as in "too large for a configuration".</param>
    /// <param name="maxBytes">The largest size that is read.</param>
    /// <exception cref="ModelException">It is too large, or no JSON.</exception>
    public static JsonElement Parse(CheckpointFile file, string what, int maxBytes)
    {
        if (file.Length > maxBytes)
            throw file.Error($"is too large for {what}: {file.Length} bytes");
        byte[] bytes = new FileRegion(file, 0, file.Length).ToArray();
        try
        {
            Check(file, what, bytes);
            using JsonDocument document = JsonDocument.Parse(bytes);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw file.Error("is not valid JSON", e);
        }
        catch (InvalidOperationException e)
        {
            throw file.Error("is not valid JSON: it has a text that is no sound UTF-8", e);
        }
    }

    /// <summary>The object that a text of a file is, read as data; null where it is no sound JSON of one.</summary>
    public static JsonElement? ObjectIn(string text)
    {
        try
        {
            byte[] bytes = StrictUtf8.GetBytes(text);
            var json = new Utf8JsonReader(bytes);
            for (int values = 0; json.Read(); values++)
            {
                if (values > MaxValues)
                    return null;
                if (json.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                    json.GetString();
            }
            using JsonDocument document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or EncoderFallbackException)
        {
            return null;
        }
    }

    private static void Check(CheckpointFile file, string what, byte[] bytes)
    {
        var json = new Utf8JsonReader(bytes);
        for (int values = 0; json.Read(); values++)
        {
            if (values > MaxValues)
                throw file.Error($"is too large for {what}: it has more than {MaxValues} values");
            // Throws where the text is none.
            if (json.TokenType is JsonTokenType.String or JsonTokenType.PropertyName
                && json.GetString()!.Length > MaxCharacters)
                throw file.Error($"has a text of more than {MaxCharacters} characters, which is none for {what}");
        }
    }
}
