using System.Text.Json;
using Atrous.Checkpoints.Pickles;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.OpenMmLab;

/// <summary>
/// A dictionary of a configuration. What is in it and cannot be read is noted, and counts as not said.
/// </summary>
/// <param name="name">Where it is: "model.backbone".</param>
/// <param name="source">What the whole is called: "meta.config".</param>
/// <param name="root">The dictionary; anything else has no entries.</param>
/// <param name="notes">Gets a sentence for each entry that cannot be read.</param>
internal sealed class ConfigSection(string name, string source, JsonElement? root, List<string> notes)
{
    private readonly HashSet<string> _unread = new(StringComparer.Ordinal);
    private bool _isPartial;

    /// <summary>"meta.config".</summary>
    public string Source => source;

    /// <summary>It names its class, so that what it lacks is what the class takes by itself.</summary>
    public bool IsWhole => !_isPartial && Type is not null;

    /// <summary>The class, without the name of the library before it.</summary>
    public string? Type => Text("type") is { } type ? type[(type.LastIndexOf('.') + 1)..] : null;

    /// <summary>The same with a class of which is not known what it takes by itself.</summary>
    public ConfigSection Partial() => new(name, source, root, notes) { _isPartial = true };

    /// <summary>An entry that is not None.</summary>
    public JsonElement? this[string key] => JsonValues.Entry(root, key);

    /// <summary>True where there is something of that name, read or not.</summary>
    public bool Has(string key) => this[key] is not null;

    /// <summary>The dictionary under a key; without entries where there is none.</summary>
    public ConfigSection Section(string key)
    {
        if (this[key] is { } entry && (entry.ValueKind != JsonValueKind.Object || IsUnread(entry)))
            NotUnderstood<string>(key, entry);
        return new(Name(key), source, this[key], notes);
    }

    /// <summary>The dictionaries of the list under a key.</summary>
    public IReadOnlyList<ConfigSection> List(string key)
    {
        if (this[key] is not { } entry)
            return [];
        if (entry.ValueKind != JsonValueKind.Array)
        {
            NotUnderstood<string>(key, entry);
            return [];
        }
        return [.. entry.EnumerateArray()
            .Select((item, i) => new ConfigSection($"{Name(key)}[{i}]", source, item, notes))];
    }

    public string? Text(string key) => Read(key, JsonValues.Text);

    public bool? Flag(string key) => ReadValue(key, JsonValues.Flag);

    public int? Number(string key) => ReadValue(key, JsonValues.Number);

    public double? Real(string key) => ReadValue(key, JsonValues.Real);

    /// <summary>Whole numbers above 0; one number stands for a list of one.</summary>
    public int[]? Numbers(string key) => Read(key, JsonValues.Numbers);

    public float[]? Reals(string key) => Read(key, JsonValues.Reals);

    /// <summary>
    /// What is said; where nothing is, what the class takes by itself, or what is assumed where not even the class is
    /// said.
    /// </summary>
    public Standard<T> Or<T>(string key, T? said, T byClass, T assumed)
        where T : class =>
        said is not null ? new Standard<T>(said, source) : Silent(key, byClass, assumed);

    /// <inheritdoc cref="Or{T}(string, T?, T, T)"/>
    public Standard<T> Or<T>(string key, T? said, T byClass, T assumed)
        where T : struct =>
        said is { } value ? new Standard<T>(value, source) : Silent(key, byClass, assumed);

    /// <summary>A sentence about an entry.</summary>
    public string About(string key, string what) => $"{source}: {Name(key)} {what}";

    private Standard<T> Silent<T>(string key, T byClass, T assumed) =>
        IsWhole && !_unread.Contains(key) ? new Standard<T>(byClass, source) : assumed;

    private string Name(string key) => name.Length == 0 ? key : $"{name}.{key}";

    private T? Read<T>(string key, Func<JsonElement, T?> read)
        where T : class =>
        this[key] is not { } entry ? null : read(entry) ?? NotUnderstood<T>(key, entry);

    private T? ReadValue<T>(string key, Func<JsonElement, T?> read)
        where T : struct
    {
        if (this[key] is not { } entry)
            return null;
        T? value = read(entry);
        if (value is null)
            NotUnderstood<string>(key, entry);
        return value;
    }

    private T? NotUnderstood<T>(string key, JsonElement entry)
        where T : class
    {
        if (!_unread.Add(key))
            return null;
        string text = IsUnread(entry) ? entry.GetProperty(PythonConfig.Unread).ToString() : entry.GetRawText();
        string shown = text.Length > 40 ? text[..40] + "..." : text;
        string note = About(key, $"is '{shown}', which cannot be read as data.");
        if (!notes.Contains(note))
            notes.Add(note);
        return null;
    }

    private static bool IsUnread(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(PythonConfig.Unread, out _);
}
