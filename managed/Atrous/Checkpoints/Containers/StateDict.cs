using System.Globalization;
using System.Numerics;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>Finds the dictionaries of tensors in what a training script saved, under any name.</summary>
internal static class StateDict
{
    private const int MaxDepth = 6;
    private const int MaxValues = 100;
    private const int MaxValueLength = 200;
    private const int MaxUnreadable = 100;
    private const int MaxListed = 8;

    /// <summary>
    /// What training scripts call the weights that they load again, in order of preference: these go before all others,
    /// and before the root itself.
    /// </summary>
    private static readonly string[] Keys =
        ["state_dict", "model_state", "model_state_dict", "model", "net", "network", "weights", "module"];

    /// <summary>Tensors that are not read, by the functions that make them.</summary>
    private static readonly Dictionary<string, string> Kinds = new(StringComparer.Ordinal)
    {
        ["_rebuild_sparse_tensor"] = "a sparse tensor",
        ["_rebuild_qtensor"] = "a quantised tensor",
        ["_rebuild_nested_tensor"] = "a nested tensor",
        ["_rebuild_meta_tensor_no_storage"] = "a tensor on the meta device, without values,",
    };

    /// <exception cref="ModelException">There are no tensors that have a name.</exception>
    public static ContainerContents Find(CheckpointFile file, string container, object? root)
    {
        var attributes = new ModuleAttributes(file);
        root = WholeModel.Unfold(file, root, attributes);
        if (!IsPlace(root))
            throw NotADictionary(file, root);
        List<TensorDictionary> found = Walk(file, root!);
        ShareFacts(found);
        return found.Count > 0
            ? new ContainerContents(container, [.. found.OrderBy(Preference)])
            {
                Arguments = TrainingArguments.Of(file.Budget, root as PickleDict, attributes.Arguments),
                Meta = TrainingMeta.Of(file.Budget, root as PickleDict, attributes.Meta),
            }
            : throw NoWeights(file, root);
    }

    /// <summary>Every place is visited once, by its shortest path: nothing is counted twice and cycles end.</summary>
    private static List<TensorDictionary> Walk(CheckpointFile file, object root)
    {
        var found = new List<TensorDictionary>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { root };
        var queue = new Queue<(object Place, TensorDictionary Dictionary, int Depth)>();
        queue.Enqueue((root, new TensorDictionary("", null), 0));
        while (queue.TryDequeue(out (object Place, TensorDictionary Dictionary, int Depth) next))
        {
            int way = next.Dictionary.Path.Length;
            foreach ((string key, object? value) in Entries(next.Place))
            {
                if (!IsPlace(value))
                    Note(file.Budget, next.Dictionary, way, next.Place, key, value);
                else if (next.Depth < MaxDepth && key.Length <= MaxValueLength && seen.Add(value!))
                    queue.Enqueue((value!, new TensorDictionary(key, next.Dictionary), next.Depth + 1));
            }
            if (next.Dictionary.Tensors.Count > 0)
                found.Add(next.Dictionary);
        }
        return found;
    }

    /// <summary>
    /// A tensor that a module beside the state_dict has too, as Lightning's hyper-parameters have the model that a
    /// module was made with: what that module says of it holds by either name.
    /// </summary>
    private static void ShareFacts(List<TensorDictionary> found)
    {
        IEnumerable<StoredTensor> all = found.SelectMany(dictionary => dictionary.Tensors.Values);
        var stated = new Dictionary<TensorPlace, StoredTensor>();
        foreach (StoredTensor tensor in all.Where(tensor => tensor.Layer is not null))
            stated.TryAdd(tensor.Place, tensor);
        if (stated.Count == 0)
            return;
        foreach (StoredTensor tensor in all.Where(tensor => tensor.Layer is null))
        {
            if (stated.TryGetValue(tensor.Place, out StoredTensor? same) && same.Shape.SequenceEqual(tensor.Shape))
                tensor.Layer = same.Layer;
        }
    }

    /// <summary>Whether tensors may lie in it: a dictionary, a list or a tuple.</summary>
    private static bool IsPlace(object? value) => value is PickleDict or PickleList or object?[];

    private static IEnumerable<KeyValuePair<string, object?>> Entries(object place) => place switch
    {
        PickleDict dict => dict.Items,
        PickleList list => Numbered(list.Items),
        _ => Numbered((object?[])place),
    };

    private static IEnumerable<KeyValuePair<string, object?>> Numbered(IReadOnlyList<object?> items) =>
        items.Select((item, i) => KeyValuePair.Create(i.ToString(CultureInfo.InvariantCulture), item));

    private static void Note(
        ReadBudget budget, TensorDictionary dictionary, int way, object place, string key, object? value)
    {
        // What lies in a list has no name.
        if (place is not PickleDict)
            return;
        if (TensorOf(value) is { } tensor)
        {
            budget.CountTensor(way + key.Length);
            dictionary.Tensors.Add(key, tensor);
        }
        // Whether there is room is asked first: a long text is not made millions of times for nothing.
        else if (dictionary.Unreadable.Count < MaxUnreadable && DescribeUnreadable(value) is { } description)
            dictionary.Unreadable.Add(key, description);
        else if (dictionary.Values.Count < MaxValues && key.Length <= MaxValueLength && TextOf(value) is { } text)
            dictionary.Values.Add(key, text);
    }

    /// <summary>The place of a dictionary among all, the lowest first.</summary>
    private static int Preference(TensorDictionary dictionary)
    {
        bool known = true;
        int depth = 0;
        for (TensorDictionary place = dictionary; place.Parent is { } parent; place = parent, depth++)
            known &= Keys.Contains(place.Key);
        return depth == 0 ? Keys.Length
            : known && depth == 1 ? Array.IndexOf(Keys, dictionary.Key)
            : known ? Keys.Length + depth
            : Keys.Length + MaxDepth + 1;
    }

    private static StoredTensor? TensorOf(object? value) => value as StoredTensor ?? (value as NumpyArray)?.Tensor;

    /// <summary>Null for plain values, which may lie beside weights.</summary>
    private static string? DescribeUnreadable(object? value) => value switch
    {
        PickleObject { Type: { Module: "torch._utils", Name: var function } }
            when Kinds.TryGetValue(function, out string? kind) => kind,
        PickleObject { Type: var type } => $"a {Printable.Quote(type.FullName)}",
        PickleGlobal global => $"the class {Printable.Quote(global.FullName)}",
        NumpyArray array => $"a NumPy array of {Printable.Quote(array.TypeCode)}",
        StorageReference => "a storage without a shape",
        _ => null,
    };

    private static string? TextOf(object? value) => value switch
    {
        string { Length: <= MaxValueLength } s => s,
        bool flag => flag ? "true" : "false",
        long or double or BigInteger => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };

    private static ModelException NotADictionary(CheckpointFile file, object? root) => root switch
    {
        PickleObject program when WholeModel.IsScript(program) => file.Error(
            "is a TorchScript program whose weights have no names (frozen, optimised or quantised); save them before "
            + "that: torch.save(model.state_dict(), path)"),
        PickleObject { Type: var type } =>
            file.Error($"holds a {Printable.Quote(type.FullName)} and no dictionary of weights"),
        _ => file.Error("holds no dictionary of weights"),
    };

    private static ModelException NoWeights(CheckpointFile file, object? root)
    {
        if (root is not PickleDict { Items: var items })
            return file.Error("holds no dictionary of weights");
        string found = items.Count == 0
            ? "it has no named entries"
            : "its entries are " + string.Join(", ", items.Take(MaxListed).Select(Describe))
                + (items.Count > MaxListed ? ", ..." : "");
        return file.Error($"has no named tensors in any of its dictionaries; {found}");
    }

    private static string Describe(KeyValuePair<string, object?> entry) =>
        Printable.Quote(entry.Key) + (DescribeUnreadable(entry.Value) is { } description ? $" ({description})" : "");
}
