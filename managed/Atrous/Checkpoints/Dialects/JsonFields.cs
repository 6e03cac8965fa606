using System.Text.Json;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The members of a JSON object by their names and kinds, each of which must be asked for: <see cref="End"/> refuses
/// what nobody did. Read by hand, since the serializer's generic code over numbers, enums and structs is compiled anew
/// in every process: it was two thirds of the methods that a start compiled (decision 28).
/// </summary>
internal sealed class JsonFields
{
    private readonly JsonElement _json;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <exception cref="JsonException">The value is no object.</exception>
    public JsonFields(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException($"it has {Kind(json)} where an object should be");
        _json = json;
    }

    public string Text(string name) => Text(Required(name));

    public bool Flag(string name, bool standard = false) =>
        Find(name) is { } value ? Flag(value, name) : standard;

    public bool RequiredFlag(string name) => Flag(Required(name), name);

    public int Integer(string name) => Integer(Required(name));

    public int Integer(string name, int standard) => Find(name) is { } value ? Integer(value) : standard;

    /// <summary>Null where it is missing or null.</summary>
    public int? Optional(string name) => FindUnlessNull(name) is { } value ? Integer(value) : null;

    public double Real(string name) => Real(Required(name));

    public double Real(string name, double standard) => Find(name) is { } value ? Real(value) : standard;

    public int[] Integers(string name) => List(Required(name), Integer);

    public int[] Integers(string name, int[] standard) =>
        Find(name) is { } value ? List(value, Integer) : standard;

    /// <summary>Null where it is missing or null.</summary>
    public int[]? OptionalIntegers(string name) =>
        FindUnlessNull(name) is { } value ? List(value, Integer) : null;

    /// <summary>An enum by the name of its value in camelCase; never by its number.</summary>
    public T Name<T>(string name)
        where T : struct, Enum => Name<T>(Required(name), name);

    public T Name<T>(string name, T standard)
        where T : struct, Enum => Find(name) is { } value ? Name<T>(value, name) : standard;

    /// <summary>Null where it is missing or null.</summary>
    public T? OptionalName<T>(string name)
        where T : struct, Enum => FindUnlessNull(name) is { } value ? Name<T>(value, name) : null;

    public T[] List<T>(string name, Func<JsonElement, T> read) => List(Required(name), read);

    public T[] List<T>(string name, Func<JsonElement, T> read, T[] standard) =>
        Find(name) is { } value ? List(value, read) : standard;

    public T Part<T>(string name, Func<JsonFields, T> read) => Whole(Required(name), read);

    public T Part<T>(string name, Func<JsonFields, T> read, T standard) =>
        Find(name) is { } value ? Whole(value, read) : standard;

    /// <summary>The value itself; null where it is missing or null.</summary>
    public JsonElement? FindUnlessNull(string name) =>
        Find(name) is { ValueKind: not JsonValueKind.Null } value ? value : null;

    /// <summary>The value itself, which may be null; null where it is missing.</summary>
    public JsonElement? Find(string name)
    {
        _asked.Add(name);
        return _json.TryGetProperty(name, out JsonElement value) ? value : null;
    }

    public JsonElement Required(string name) =>
        Find(name) ?? throw new JsonException($"it has no '{name}'");

    /// <exception cref="JsonException">There is a member that was not asked for.</exception>
    public void End()
    {
        foreach (JsonProperty property in _json.EnumerateObject())
        {
            if (!_asked.Contains(property.Name))
                throw new JsonException($"it has the unknown member '{property.Name}'");
        }
    }

    /// <summary>An object that has no more than what <paramref name="read"/> asks for.</summary>
    public static T Whole<T>(JsonElement json, Func<JsonFields, T> read)
    {
        var fields = new JsonFields(json);
        T whole = read(fields);
        fields.End();
        return whole;
    }

    public static T[] List<T>(JsonElement json, Func<JsonElement, T> read)
    {
        if (json.ValueKind != JsonValueKind.Array)
            throw new JsonException($"it has {Kind(json)} where a list should be");
        var list = new T[json.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in json.EnumerateArray())
            list[i++] = read(item);
        return list;
    }

    public static string Text(JsonElement json) => json.ValueKind == JsonValueKind.String
        ? json.GetString()!
        : throw new JsonException($"it has {Kind(json)} where text should be");

    public static int Integer(JsonElement json) =>
        json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out int number)
            ? number
            : throw new JsonException($"it has {Kind(json)} where a whole number should be");

    public static double Real(JsonElement json) =>
        json.ValueKind == JsonValueKind.Number && json.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw new JsonException($"it has {Kind(json)} where a number should be");

    public static float Single(JsonElement json) => (float)Real(json) is var number && float.IsFinite(number)
        ? number
        : throw new JsonException($"it has {Kind(json)} where a number of 32 bits should be");

    public static bool Flag(JsonElement json) => Flag(json, "it");

    private static bool Flag(JsonElement json, string name) => json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new JsonException($"its '{name}' is {Kind(json)}, not true or false"),
    };

    private static T Name<T>(JsonElement json, string name)
        where T : struct, Enum
    {
        string text = Text(json);
        string member = text is [>= 'a' and <= 'z', ..] ? char.ToUpperInvariant(text[0]) + text[1..] : "";
        // TryParse takes numbers, sums of flags and blanks as well.
        return Enum.TryParse(typeof(T), member, out object? value) && value.ToString() == member
            ? (T)value
            : throw new JsonException($"its '{name}' is '{text}', which is not known");
    }

    private static string Kind(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.Number => $"the number {json}",
        JsonValueKind.String => $"the text '{json}'",
        JsonValueKind.True or JsonValueKind.False => $"{json}",
        JsonValueKind.Array => "a list",
        _ => "an object",
    };
}
