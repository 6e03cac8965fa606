using System.Globalization;
using System.Numerics;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>Finds the dictionary of tensors in what a training script saved.</summary>
internal static class StateDict
{
    private const int MaxDepth = 3;
    private const int MaxExtras = 100;
    private const int MaxExtraLength = 200;
    private const int MaxListed = 8;

    /// <summary>In order of preference.</summary>
    private static readonly string[] Keys =
        ["state_dict", "model_state", "model_state_dict", "model", "net", "network", "weights", "module"];

    public static ContainerContents Find(CheckpointFile file, string container, object? root)
    {
        if (root is not PickleDict dict)
            throw NotADictionary(file, root);
        if (Search(dict) is not { } path)
            throw NoWeights(file, dict);

        var extras = new Dictionary<string, string>(StringComparer.Ordinal);
        PickleDict weights = dict;
        foreach (string key in path)
        {
            AddExtras(extras, weights);
            weights = (PickleDict)weights.Items[key]!;
        }
        var tensors = new OrderedDictionary<string, StoredTensor>(weights.Items.Count, StringComparer.Ordinal);
        foreach ((string name, object? value) in weights.Items)
        {
            if (TensorOf(value) is { } tensor)
                tensors.Add(name, tensor);
            else if (DescribeUnreadable(value) is { } description)
                throw file.Error(
                    $"has {Printable.Quote(name)} among its weights, which is {description} and not supported");
        }
        AddExtras(extras, weights);
        return new ContainerContents(container, tensors) { WeightsPath = string.Join('.', path), Extras = extras };
    }

    /// <summary>
    /// The shortest path of known keys to a dictionary with tensors; a known key goes before the root itself.
    /// </summary>
    private static List<string>? Search(PickleDict root)
    {
        var level = new List<(PickleDict Dict, List<string> Path)> { (root, []) };
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            var next = new List<(PickleDict Dict, List<string> Path)>();
            foreach ((PickleDict dict, List<string> path) in level)
            {
                foreach (string key in Keys)
                {
                    if (dict.Items.TryGetValue(key, out object? value) && value is PickleDict child)
                        next.Add((child, [.. path, key]));
                }
            }
            if (next.Find(candidate => HasTensors(candidate.Dict)) is { Dict: not null } found)
                return found.Path;
            if (depth == 0 && HasTensors(root))
                return [];
            level = next;
        }
        return null;
    }

    private static bool HasTensors(PickleDict dict) => dict.Items.Values.Any(value => TensorOf(value) is not null);

    private static StoredTensor? TensorOf(object? value) => value as StoredTensor ?? (value as NumpyArray)?.Tensor;

    /// <summary>Null for plain values, which may lie beside weights.</summary>
    private static string? DescribeUnreadable(object? value) => value switch
    {
        PickleObject { Type: var type } => $"a {Printable.Quote(type.FullName)}",
        PickleGlobal global => $"the class {Printable.Quote(global.FullName)}",
        NumpyArray array => $"a NumPy array of {Printable.Quote(array.TypeCode)}",
        StorageReference => "a storage without a shape",
        _ => null,
    };

    private static void AddExtras(Dictionary<string, string> extras, PickleDict dict)
    {
        foreach ((string key, object? value) in dict.Items)
        {
            string? text = value switch
            {
                string { Length: <= MaxExtraLength } s => s,
                bool flag => flag ? "true" : "false",
                long or double or BigInteger => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
                _ => null,
            };
            if (text is not null && key.Length <= MaxExtraLength && extras.Count < MaxExtras)
                extras.TryAdd(key, text);
        }
    }

    private static ModelException NotADictionary(CheckpointFile file, object? root) => root switch
    {
        PickleObject { State: PickleDict state } module when state.Items.ContainsKey("_modules") =>
            WholeModule(file, module),
        PickleObject { Type: var type } =>
            file.Error($"holds a {Printable.Quote(type.FullName)} and no dictionary of weights"),
        _ => file.Error("holds no dictionary of weights"),
    };

    private static ModelException NoWeights(CheckpointFile file, PickleDict root)
    {
        foreach (object? value in root.Items.Values)
        {
            if (value is PickleObject { State: PickleDict state } module && state.Items.ContainsKey("_modules"))
                return WholeModule(file, module);
        }
        string found = root.Items.Count == 0
            ? "it has no named entries"
            : "its entries are " + string.Join(", ", root.Items.Take(MaxListed).Select(Describe))
                + (root.Items.Count > MaxListed ? ", ..." : "");
        return file.Error($"has no tensors at its root or under {string.Join(", ", Keys)}; {found}");
    }

    private static string Describe(KeyValuePair<string, object?> entry) =>
        Printable.Quote(entry.Key) + (DescribeUnreadable(entry.Value) is { } description ? $" ({description})" : "");

    private static ModelException WholeModule(CheckpointFile file, PickleObject module) =>
        file.Error($"holds a whole model ({Printable.Quote(module.Type.FullName)}), saved with torch.save(model); "
            + "save its weights instead: torch.save(model.state_dict(), path)");
}
