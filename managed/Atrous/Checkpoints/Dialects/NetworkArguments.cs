using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Atrous.Checkpoints.Containers;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Arguments of segmentation_models.pytorch as a script keeps them: those of one network may lie in an object and in
/// others inside it, {"encoder_name": ..., "model_kwargs": {"decoder_atrous_rates": ...}}.
/// </summary>
internal sealed class NetworkArguments
{
    private const string Encoder = "encoder_name";
    private const int MaxDepth = 12;

    /// <summary>What is read, and has to be the same wherever a file says it; other entries may differ.</summary>
    private static readonly string[] Compared =
    [
        "_model_class", "arch", "in_channels", "classes", "activation", "upsampling", "encoder_weights",
        .. TrainingArguments.Marks,
    ];

    /// <summary>Command lines and texts of configurations leave numbers as texts.</summary>
    private static readonly string[] Numbers =
    [
        "in_channels", "classes", "upsampling", "encoder_output_stride", "encoder_depth", "decoder_channels",
        "decoder_atrous_rates",
    ];

    /// <summary>Parts of the names under which the arguments of other networks lie.</summary>
    private static readonly string[] OfOthers = ["teacher", "ema", "aux", "pretrain", "discrim"];

    private readonly Dictionary<string, JsonElement> _said;

    private NetworkArguments(string place, Dictionary<string, JsonElement> said, string? contradiction)
    {
        Place = place;
        _said = said;
        Contradiction = contradiction;
    }

    /// <summary>The key under which they lie.</summary>
    public string Place { get; }

    /// <summary>An entry of which the object and another inside it say different things; null mostly.</summary>
    private string? Contradiction { get; }

    /// <summary>
    /// Those of each network that a file speaks of. Under a name that no script gives to its network's arguments,
    /// another encoder is that of another network: a teacher's.
    /// </summary>
    public static IReadOnlyList<NetworkArguments> Of(ICheckpoint checkpoint)
    {
        NetworkArguments[] all =
        [
            .. checkpoint.Arguments.Where(place => !IsOfOther(place.Key)).SelectMany(
                place => In(place.Value, new NetworkArguments(place.Key, [], null), MaxDepth)),
        ];
        JsonElement? encoder = all.Where(one => one.IsOfUsualPlace && one._said.ContainsKey(Encoder))
            .Select(one => (JsonElement?)one._said[Encoder]).FirstOrDefault();
        return encoder is not { } mine ? all :
        [
            .. all.Where(one => one.IsOfUsualPlace || !one._said.TryGetValue(Encoder, out JsonElement other)
                || JsonElement.DeepEquals(mine, other)),
        ];
    }

    /// <summary>
    /// An entry of which some say different things; null where they agree. What one leaves open another of the same
    /// place does not say for it: they are of two networks, and each has the library's default there.
    /// </summary>
    public static string? ContradictionOf(IReadOnlyList<NetworkArguments> all) =>
        all.Select(one => one.Contradiction).FirstOrDefault(key => key is not null)
        ?? Array.Find(Compared, key => Contradict(all, key));

    /// <summary>What several places say that do not contradict each other; each entry from the first.</summary>
    public static JsonFacts Together(IReadOnlyList<NetworkArguments> all, string path)
    {
        var used = new HashSet<string>();
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            foreach (string key in Compared)
            {
                if (all.FirstOrDefault(one => one._said.ContainsKey(key)) is not { } first)
                    continue;
                used.Add(first.Place);
                json.WritePropertyName(key);
                Write(json, first._said[key], Numbers.Contains(key));
            }
            json.WriteEndObject();
        }
        using JsonDocument document = JsonDocument.Parse(bytes.WrittenMemory);
        IEnumerable<string> places = all.Select(one => one.Place).Distinct().Where(used.Contains);
        return new JsonFacts(path, string.Join(" and ", places), document.RootElement.Clone());
    }

    private static IEnumerable<NetworkArguments> In(JsonElement value, NetworkArguments around, int depth)
    {
        if (value.ValueKind != JsonValueKind.Object || depth == 0)
            return [];
        bool isMarked = TrainingArguments.Marks.Any(mark => value.TryGetProperty(mark, out _));
        // Of another network, such as a teacher, inside the arguments of this one.
        if (isMarked && around.IsOther(value))
            return [];
        NetworkArguments here = isMarked ? around.With(value) : around;
        NetworkArguments[] inside =
        [
            .. value.EnumerateObject().Where(entry => !IsOfOther(entry.Name))
                .SelectMany(entry => In(entry.Value, here, depth - 1)),
        ];
        return inside.Length > 0 || !isMarked ? inside : [here];
    }

    private static bool IsOfOther(string name) =>
        name.Split('_', '.', '-').Any(word =>
            Array.Exists(OfOthers, other => word.StartsWith(other, StringComparison.OrdinalIgnoreCase)));

    private bool IsOfUsualPlace => TrainingArguments.IsUsual(Place);

    private bool IsOther(JsonElement value) =>
        _said.TryGetValue(Encoder, out JsonElement mine) && Says(value, Encoder)
        && !JsonElement.DeepEquals(mine, value.GetProperty(Encoder));

    private NetworkArguments With(JsonElement value)
    {
        var said = new Dictionary<string, JsonElement>(_said, StringComparer.Ordinal);
        string? contradiction = Contradiction;
        foreach (string key in Compared.Where(key => Says(value, key)))
        {
            JsonElement entry = value.GetProperty(key);
            if (!said.TryAdd(key, entry) && !JsonElement.DeepEquals(said[key], entry))
                contradiction ??= key;
        }
        return new NetworkArguments(Place, said, contradiction);
    }

    private static bool Contradict(IReadOnlyList<NetworkArguments> all, string key)
    {
        // Unusual places are one: who says which of them is the network's?
        if (all.GroupBy(one => one.IsOfUsualPlace ? one.Place : "")
            .Any(place => place.Select(one => one._said.ContainsKey(key)).Distinct().Count() > 1))
            return true;
        JsonElement[] said = [.. all.Where(one => one._said.ContainsKey(key)).Select(one => one._said[key])];
        return Array.Exists(said, entry => !JsonElement.DeepEquals(said[0], entry));
    }

    /// <summary>Null leaves an entry open, but for the activation, where it means that there is none.</summary>
    private static bool Says(JsonElement value, string key) =>
        value.TryGetProperty(key, out JsonElement entry)
        && (entry.ValueKind != JsonValueKind.Null || key == "activation");

    private static void Write(Utf8JsonWriter json, JsonElement value, bool isNumber)
    {
        if (isNumber && value.ValueKind == JsonValueKind.Array)
        {
            json.WriteStartArray();
            foreach (JsonElement item in value.EnumerateArray())
                Write(json, item, isNumber);
            json.WriteEndArray();
        }
        else if (isNumber && value.ValueKind == JsonValueKind.String && AsNumbers(value.GetString()!) is { } numbers)
        {
            if (numbers is [int single])
            {
                json.WriteNumberValue(single);
                return;
            }
            json.WriteStartArray();
            Array.ForEach(numbers, json.WriteNumberValue);
            json.WriteEndArray();
        }
        else
        {
            value.WriteTo(json);
        }
    }

    /// <summary>"5" and "6,12,18", with brackets or without; null for other texts.</summary>
    private static int[]? AsNumbers(string text)
    {
        string[] parts = text.Length > 100 ? [] : text.Trim().Trim('[', ']', '(', ')').Split(',');
        int[] numbers =
        [
            .. parts.Select(part => int.TryParse(part, NumberStyles.Integer, CultureInfo.InvariantCulture, out int n)
                ? n : (int?)null).OfType<int>(),
        ];
        return numbers.Length > 0 && numbers.Length == parts.Length ? numbers : null;
    }
}
