using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints;

/// <summary>What else a file holds than the tensors of one network, in few words.</summary>
internal static class TensorsBeside
{
    private const string Shadow = "ema_";

    /// <summary>
    /// The number of tensors by name. Those that share the first segment by which they differ from the network's names
    /// are one row, "ema_model.*".
    /// </summary>
    public static IReadOnlyDictionary<string, int> Count(
        IReadOnlyList<TensorDictionary> dictionaries, WeightSet network)
    {
        // One and the same by another name is not beside it.
        HashSet<TensorPlace> own = [.. network.Tensors.Values.Select(tensor => tensor.Place)];
        string way = network.Name.Length > 0 ? network.Name + "." : "";
        var groups = new OrderedDictionary<string, Group>(StringComparer.Ordinal);
        foreach (TensorDictionary dictionary in dictionaries)
        {
            string path = dictionary.Path is { Length: > 0 } keys ? keys + "." : "";
            foreach ((string name, StoredTensor tensor) in dictionary.Tensors)
            {
                if (own.Contains(tensor.Place))
                    continue;
                string whole = path + name;
                string group = GroupOf(whole, way);
                groups[group] = new(groups.TryGetValue(group, out Group? row) ? row.Count + 1 : 1, whole);
            }
        }
        return new OrderedDictionary<string, int>(groups.Select(
            row => KeyValuePair.Create(row.Value.Count == 1 ? row.Value.Name : row.Key, row.Value.Count)),
            StringComparer.Ordinal);
    }

    /// <summary>Tensors that are one row, and the name of the last of them.</summary>
    private sealed record Group(int Count, string Name);

    private static string GroupOf(string name, string way)
    {
        int shared = name.AsSpan().CommonPrefixLength(way);
        int segment = shared == 0 ? 0 : name.LastIndexOf('.', Math.Min(shared, name.Length) - 1) + 1;
        int end = name.IndexOf('.', segment);
        return end >= 0 ? name[..end] + ".*"
            : name.AsSpan(segment).StartsWith(Shadow, StringComparison.Ordinal) ? name[..segment] + Shadow + "*"
            : name;
    }
}
