using System.Text.Json;
using Atrous.Checkpoints.Storages;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Typed access to a JSON object beside or inside a file; null where there is none, or no such entry in it. Every error
/// names the file, where in it the object is, and the entry.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="source">What the object is called: "config.json".</param>
/// <param name="root">The object; anything else has no entries.</param>
/// <param name="only">The one entry that is looked at; null for all.</param>
internal sealed class JsonFacts(string path, string source, JsonElement? root, string? only = null)
{
    private const int Shown = 40;

    /// <summary>What the object is called: "config.json".</summary>
    public string Source => source;

    /// <summary>An entry that is not null.</summary>
    public JsonElement? this[string key] =>
        only is null || only == key ? JsonValues.Entry(root, key) : null;

    public int? Number(string key) => this[key] is not { } entry ? null
        : JsonValues.Number(entry) ?? throw Wrong(key, "is not a whole number");

    public double? Real(string key) => this[key] is not { } entry ? null
        : JsonValues.Real(entry) ?? throw Wrong(key, "is not a number");

    public bool? Flag(string key) => this[key] is not { } entry ? null
        : JsonValues.Flag(entry) ?? throw Wrong(key, "is not true or false");

    public string? Text(string key) => this[key] is not { } entry ? null
        : JsonValues.Text(entry) ?? throw Wrong(key, "is not a text");

    public int[]? Numbers(string key) => this[key] is not { } entry ? null
        : entry.ValueKind == JsonValueKind.Array && JsonValues.Numbers(entry) is { } numbers ? numbers
        : throw Wrong(key, "is not a list of positive whole numbers");

    /// <summary>So many numbers, from a list of them or from one that stands for all.</summary>
    public float[]? Reals(string key, int count) => this[key] is not { } entry ? null
        : JsonValues.Reals(entry) switch
        {
            [float one] => [.. Enumerable.Repeat(one, count)],
            { } numbers when numbers.Length == count => numbers,
            _ => throw Wrong(key, $"is not a list of {count} number(s)"),
        };

    /// <summary>The object under a key.</summary>
    public JsonFacts Inner(string key) => new(path, $"{source}, {key}", this[key]);

    /// <summary>The same object with one of its entries.</summary>
    public JsonFacts Only(string key) => new(path, source, root, key);

    /// <summary>What the object says, or what its writer's code takes without it.</summary>
    public Standard<T> Or<T>(T? said, T otherwise)
        where T : struct => said is { } value ? new Standard<T>(value, source) : otherwise;

    /// <inheritdoc cref="Or{T}(T?, T)"/>
    public Standard<T> Or<T>(T? said, T otherwise)
        where T : class => said is null ? otherwise : new Standard<T>(said, source);

    /// <summary>An entry that cannot be used.</summary>
    /// <param name="key">The name of the entry.</param>
    /// <param name="problem">What is wrong with it, after "the entry 'KEY' (VALUE)".</param>
    public ModelException Wrong(string key, string problem)
    {
        string text = this[key]?.GetRawText() ?? "missing";
        text = Printable.Quote(text.Length > Shown ? text[..Shown] + "..." : text)[1..^1];
        return new ModelException($"'{path}': the entry '{key}' of {source} ({text}) {problem}.");
    }
}
