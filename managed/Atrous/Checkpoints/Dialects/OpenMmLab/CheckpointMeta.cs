using System.Text.Json;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.OpenMmLab;

/// <summary>
/// What a checkpoint of an OpenMMLab runner says of itself: the configuration that it was trained with, as a dictionary
/// or as Python source that is read as data, and the classes of its data set.
/// </summary>
internal sealed class CheckpointMeta
{
    private const string Config = "config", Cfg = "cfg";

    private readonly List<string> _notes = [];
    private readonly ConfigSection _facts;

    private CheckpointMeta(JsonElement? meta)
    {
        _facts = new ConfigSection("meta", "the file", meta, _notes);
        string? key = Array.Find([Config, Cfg, TrainingMeta.Modules], _facts.Has);
        string source = key == TrainingMeta.Modules ? Switch.Modules : $"meta.{key}";
        JsonElement? config = key is null ? null : _facts[key];
        if (config is { ValueKind: JsonValueKind.String } text)
        {
            string written = text.GetString()!;
            // Some save what json.dumps made of it.
            config = SoundJson.ObjectIn(written) ?? PythonConfig.Read(written);
            if (config is null && !string.IsNullOrWhiteSpace(written))
                _notes.Add($"{source} is no configuration that can be read as data.");
        }
        Root = new ConfigSection("", source, config, _notes);
        if (Root.Has("_base_"))
        {
            _notes.Add($"{source} names other files in _base_, which are not here: what they say is not known.");
            Root = new ConfigSection("", source, Stated(config!.Value), _notes);
        }
    }

    /// <summary>The configuration; without entries where there is none.</summary>
    public ConfigSection Root { get; }

    /// <summary>What could not be read.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public static CheckpointMeta Of(ICheckpoint checkpoint) => new(checkpoint.Meta);

    /// <summary>The classes of the training data, where the file names as many as a mask can have.</summary>
    /// <param name="classes">How many classes a mask of the network can have.</param>
    public IReadOnlyList<string> ClassNames(int classes)
    {
        ConfigSection data = _facts.Section("dataset_meta");
        string[]? names = JsonValues.Texts(_facts["CLASSES"]) ?? JsonValues.Texts(data["classes"])
            ?? JsonValues.Texts(data["CLASSES"]);
        if (names is null || names.Length == classes)
            return names ?? [];
        Note($"The file names {names.Length} classes and the network has {classes}: the names are not used.");
        return [];
    }

    /// <summary>A colour per class, where the file has as many as a mask can have.</summary>
    /// <param name="classes">How many classes a mask of the network can have.</param>
    public IReadOnlyList<PaletteColour> Palette(int classes)
    {
        JsonElement? palette = _facts["PALETTE"] ?? _facts.Section("dataset_meta")["palette"]
            ?? _facts.Section("dataset_meta")["PALETTE"];
        if (palette is not { ValueKind: JsonValueKind.Array } rows || rows.GetArrayLength() != classes)
            return [];
        var colours = new List<PaletteColour>();
        foreach (JsonElement row in rows.EnumerateArray())
        {
            byte[] values = row.ValueKind != JsonValueKind.Array ? [] :
            [
                .. row.EnumerateArray().Where(value => value.ValueKind == JsonValueKind.Number)
                    .Select(value => value.TryGetByte(out byte part) ? (int)part : -1)
                    .Where(part => part >= 0).Select(part => (byte)part),
            ];
            if (values is not [byte red, byte green, byte blue])
                return [];
            colours.Add(new PaletteColour(red, green, blue));
        }
        return colours;
    }

    /// <summary>Adds a sentence for the user.</summary>
    public void Note(string sentence)
    {
        if (!_notes.Contains(sentence))
            _notes.Add(sentence);
    }

    /// <summary>Without the entries that name a class: what such a dictionary lacks, a base may say.</summary>
    private static JsonElement Stated(JsonElement config)
    {
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
            WriteStated(json, config);
        using JsonDocument document = JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
        return document.RootElement.Clone();
    }

    private static void WriteStated(Utf8JsonWriter json, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            value.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        foreach (JsonProperty entry in value.EnumerateObject().Where(entry => entry.Name != "type"))
        {
            json.WritePropertyName(entry.Name);
            WriteStated(json, entry.Value);
        }
        json.WriteEndObject();
    }
}
