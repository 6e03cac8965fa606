using System.Text.Json;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// Weights that are split over several files: `model.safetensors.index.json` or `pytorch_model.bin.index.json` says in
/// its `weight_map` which tensor lies in which of the files beside it, or in folders below.
/// </summary>
internal static class ShardIndex
{
    public const string Extension = ".index.json";

    private const string MapKey = "weight_map";
    private const int MaxBytes = 16 << 20;
    private const int MaxShards = 1000;

    /// <summary>Parts of a path.</summary>
    public const int MaxDepth = 3;

    public static ContainerContents Read(CheckpointFile index)
    {
        Dictionary<string, string> map = ReadMap(index);
        string[] names = [.. map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (names.Length is 0 or > MaxShards)
            throw index.Error($"names {names.Length} files of weights; there are 1 to {MaxShards}");
        if (Array.Find(names, name => !IsBelow(name)) is { } outside)
            throw index.Error(
                $"names {Printable.Quote(outside)}, which is no file beside it or below; do not trust it");
        if (Array.Find(names, name => !index.HasBeside(name)) is { } missing)
            throw index.Error(
                $"needs the file {Printable.Quote(missing)} beside it, one of {names.Length}; copy or download it too");

        var whole = new TensorDictionary("", null);
        ContainerContents? first = null;
        foreach (string name in names)
        {
            CheckpointFile shard = index.OpenBeside(name);
            ContainerContents contents = ContainerFormat.Read(shard);
            first ??= contents;
            foreach ((string tensor, StoredTensor value) in contents.Dictionaries[0].Tensors)
            {
                if (!whole.Tensors.TryAdd(tensor, value) || map.GetValueOrDefault(tensor, name) != name)
                    throw shard.Error($"has the tensor {Printable.Quote(tensor)}, which another file has too");
            }
            foreach ((string other, string description) in contents.Dictionaries[0].Unreadable)
                whole.Unreadable.TryAdd(other, description);
        }
        if (map.Keys.FirstOrDefault(tensor => !whole.Tensors.ContainsKey(tensor)) is { } lost)
            throw index.Error(
                $"says that {Printable.Quote(map[lost])} has the tensor {Printable.Quote(lost)}, which it has not; "
                + "copy or download both again");
        return first! with { Dictionaries = [whole] };
    }

    private static Dictionary<string, string> ReadMap(CheckpointFile index)
    {
        JsonElement root = SoundJson.Parse(index, "an index", MaxBytes);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(MapKey, out JsonElement entries)
            || entries.ValueKind != JsonValueKind.Object)
            throw index.Error($"is no index of weights: it has no '{MapKey}'");
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty entry in entries.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
                throw index.Error($"names no file for the tensor {Printable.Quote(entry.Name)}");
            if (!map.TryAdd(entry.Name, entry.Value.GetString()!))
                throw index.Error($"has the tensor {Printable.Quote(entry.Name)} twice");
        }
        return map;
    }

    /// <summary>A path that cannot lead out of the index's own folder, and not another index.</summary>
    private static bool IsBelow(string name) =>
        name.Split('/') is { Length: <= MaxDepth } parts
        && Array.TrueForAll(parts, part => part is not ("" or "." or "..")) && !name.AsSpan().ContainsAny("\\:\0")
        && !name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);
}
