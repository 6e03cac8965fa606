using System.Numerics;
using System.Text.Json;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// The plain values of a pickle as JSON, for those who read a configuration from it: texts, numbers, lists and
/// dictionaries, and the fields of objects (a Namespace, a data class, OmegaConf's containers). What is none of these
/// is left out.
/// </summary>
internal sealed class PickleJson
{
    // Configurations are small; pickles can refer to one value, or to one long text, a million times.
    private const int MaxDepth = 12, MaxValues = 20_000, MaxCharacters = 8 << 20;

    private readonly Utf8JsonWriter _json;
    private int _values;
    private long _characters;

    private PickleJson(Utf8JsonWriter json) => _json = json;

    private bool IsTooLarge => _values > MaxValues || _characters > MaxCharacters;

    /// <summary>Null where the value is no plain one, or is too large for a configuration.</summary>
    /// <param name="value">What a pickle holds somewhere, or what was made alike.</param>
    /// <param name="budget">
    /// What the file's values are counted in, for one can be kept under many names; null for a value that is not kept,
    /// or not a file's.
    /// </param>
    /// <exception cref="ModelException">The file asks for more memory than any checkpoint needs.</exception>
    public static JsonElement? Of(object? value, ReadBudget? budget = null)
    {
        if (!IsPlain(Inside(value)))
            return null;
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            var writer = new PickleJson(json);
            writer.Write(value, MaxDepth);
            if (writer.IsTooLarge)
                return null;
        }
        budget?.Hold(bytes.Length);
        using JsonDocument document = JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
        return document.RootElement.Clone();
    }

    /// <summary>The entries of a dictionary, or of an object that has fields; null for anything else.</summary>
    public static PickleDict? EntriesOf(object? value) => Inside(value) as PickleDict;

    private void Write(object? value, int depth)
    {
        value = depth > 0 ? Inside(value) : null;
        _values++;
        _characters += (value as string)?.Length ?? 0;
        switch (IsTooLarge ? null : value)
        {
            case string text: _json.WriteStringValue(text); break;
            case bool flag: _json.WriteBooleanValue(flag); break;
            case long number: _json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): _json.WriteNumberValue(number); break;
            case PickleDict dict: WriteObject(dict, depth); break;
            case object?[] items: WriteList(items, depth); break;
            case PickleList list: WriteList(list.Items, depth); break;
            default: _json.WriteNullValue(); break;
        }
    }

    private void WriteObject(PickleDict dict, int depth)
    {
        _json.WriteStartObject();
        foreach ((string key, object? item) in dict.Items)
        {
            if (IsTooLarge)
                break;
            _characters += key.Length;
            if (IsPlain(Inside(item)))
            {
                _json.WritePropertyName(key);
                Write(item, depth - 1);
            }
            else
            {
                _values++;
            }
        }
        _json.WriteEndObject();
    }

    private void WriteList(IReadOnlyList<object?> items, int depth)
    {
        _json.WriteStartArray();
        foreach (object? item in items)
        {
            if (IsTooLarge)
                break;
            Write(item, depth - 1);
        }
        _json.WriteEndArray();
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
