using System.Runtime.InteropServices;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints;

/// <summary>
/// Every set of a file's tensors that may be a network: wrappers put prefixes before a network's names, and loss
/// weights, metrics and second networks beside it. Works on names alone, in time that grows as their number does.
/// </summary>
internal static class WeightSets
{
    /// <summary>No network has fewer tensors.</summary>
    private const int Least = 16;

    private const int MaxSegments = 8, MaxPrefixLength = 200;
    private const int MaxStatistics = 16, MaxChannels = 16;
    private const string Shadow = "ema_";

    /// <summary>
    /// Segments that torch.compile, DeepSpeed, FSDP and activation checkpointing put anywhere into a name. No network
    /// has such names of its own.
    /// </summary>
    private static readonly string[] Wrappers =
        ["_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_fpw_module", "_checkpoint_wrapped_module"];

    /// <summary>
    /// As DataParallel does around a part of a network; a network may have it as a name of its own, too.
    /// </summary>
    private static readonly string[] WrappersAndModule = [.. Wrappers, "module"];

    /// <summary>A tensor, its name without wrappers' segments, and its name in the file.</summary>
    private sealed record Entry(string Name, string Stored, StoredTensor Tensor);

    /// <summary>The tensors whose names begin with a prefix of so many segments.</summary>
    private sealed record Prefixed(string Prefix, int Segments, List<Entry> Entries);

    /// <summary>
    /// The ways of looking at a file, the plainest first: names as they are, names without "module" anywhere, and
    /// dictionaries of a network's parts joined ({'encoder': {...}, 'decoder': {...}}). In each, a prefix comes before
    /// longer ones.
    /// </summary>
    public static IEnumerable<IEnumerable<WeightSet>> In(IReadOnlyList<TensorDictionary> dictionaries)
    {
        yield return dictionaries.SelectMany(dictionary => Under(dictionary, Wrappers));
        yield return dictionaries.Where(HasInnerModule).SelectMany(d => Under(d, WrappersAndModule));
        TensorDictionary[] joined = [.. Joined(dictionaries)];
        yield return joined.SelectMany(dictionary => Under(dictionary, Wrappers));
        yield return joined.Where(HasInnerModule).SelectMany(dictionary => Under(dictionary, WrappersAndModule));
    }

    private static bool HasInnerModule(TensorDictionary dictionary) =>
        dictionary.Tensors.Keys.Any(name => name.Contains(".module.", StringComparison.Ordinal));

    private static IEnumerable<TensorDictionary> Joined(IReadOnlyList<TensorDictionary> dictionaries)
    {
        foreach (IGrouping<TensorDictionary?, TensorDictionary> parts in dictionaries.GroupBy(part => part.Parent))
        {
            if (parts.Key is not { } whole || parts.Count() < 2)
                continue;
            var joined = new TensorDictionary(whole.Key, whole.Parent);
            foreach ((string name, string value) in whole.Values)
                joined.Values.Add(name, value);
            foreach (TensorDictionary part in parts)
            {
                foreach ((string name, StoredTensor tensor) in part.Tensors)
                    joined.Tensors.TryAdd($"{part.Key}.{name}", tensor);
            }
            yield return joined;
        }
    }

    private static IEnumerable<WeightSet> Under(TensorDictionary dictionary, string[] wrappers)
    {
        List<Entry> all = Entries(dictionary, wrappers);
        List<Entry> statistics = [.. all.Where(IsStatistic).Take(MaxStatistics)];
        var queue = new Queue<Prefixed>();
        queue.Enqueue(new("", 0, all));
        while (queue.TryDequeue(out Prefixed? next))
        {
            yield return Set(dictionary, next.Prefix.Length, next.Entries, statistics);
            if (next.Segments == MaxSegments)
                continue;
            foreach ((string prefix, List<Entry> entries) in ByNextSegment(next.Entries, next.Prefix.Length))
            {
                if (entries.Count >= Least)
                    queue.Enqueue(new(prefix, next.Segments + 1, entries));
            }
        }
    }

    private static List<Entry> Entries(TensorDictionary dictionary, string[] wrappers)
    {
        var entries = new List<Entry>(dictionary.Tensors.Count);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string stored, StoredTensor tensor) in dictionary.Tensors)
        {
            string name = Without(wrappers, stored);
            // Two tensors of one name: the segments mean something here.
            if (!taken.Add(name))
                return [.. dictionary.Tensors.Select(row => new Entry(row.Key, row.Key, row.Value))];
            entries.Add(new Entry(name, stored, tensor));
        }
        return entries;
    }

    private static string Without(string[] wrappers, string name)
    {
        if (!Array.Exists(wrappers, wrapper => name.Contains(wrapper + ".", StringComparison.Ordinal)))
            return name;
        string[] segments = name.Split('.');
        // The last one names the tensor itself.
        return string.Join('.', segments.Where((text, i) => i == segments.Length - 1 || !wrappers.Contains(text)));
    }

    private static Dictionary<string, List<Entry>> ByNextSegment(List<Entry> entries, int from)
    {
        var groups = new Dictionary<string, List<Entry>>(StringComparer.Ordinal);
        var byText = groups.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (Entry entry in entries)
        {
            int dot = entry.Name.IndexOf('.', from);
            if (dot < 0 || dot == entry.Name.Length - 1 || dot >= MaxPrefixLength)
                continue;
            ref List<Entry>? group = ref CollectionsMarshal.GetValueRefOrAddDefault(
                byText, entry.Name.AsSpan(0, dot + 1), out _);
            (group ??= []).Add(entry);
        }
        return groups;
    }

    private static WeightSet Set(
        TensorDictionary dictionary, int prefixLength, List<Entry> entries, List<Entry> statistics)
    {
        var tensors = new OrderedDictionary<string, StoredTensor>(entries.Count, StringComparer.Ordinal);
        HashSet<string> shadows = Shadows(entries, prefixLength);
        foreach (Entry entry in entries)
        {
            string name = entry.Name[prefixLength..];
            if (!shadows.Contains(name))
                tensors.Add(name, entry.Tensor);
        }
        foreach (Entry entry in statistics)
        {
            // Its own are there already, by the end of their names.
            if (entry.Name.Length <= prefixLength
                || !ReferenceEquals(tensors.GetValueOrDefault(entry.Name[prefixLength..]), entry.Tensor))
                tensors.TryAdd(entry.Name, entry.Tensor);
        }
        return new WeightSet(dictionary, entries.Count > 0 ? StoredPrefix(entries[0], prefixLength) : "", tensors);
    }

    /// <summary>The prefix as the file has it, with wrappers' segments.</summary>
    private static string StoredPrefix(Entry entry, int prefixLength) =>
        entry.Stored.EndsWith(entry.Name[prefixLength..], StringComparison.Ordinal)
            ? entry.Stored[..^(entry.Name.Length - prefixLength)]
            : entry.Name[..prefixLength];

    /// <summary>
    /// Buffers that mmcv's EMAHook keeps beside the weights: "backbone.conv1.weight" has "ema_backbone_conv1_weight".
    /// They are averages of what has a gradient, and no network without the rest.
    /// </summary>
    private static HashSet<string> Shadows(List<Entry> entries, int prefixLength)
    {
        HashSet<string> shadows =
        [
            .. entries.Select(entry => entry.Name[prefixLength..])
                .Where(name => name.StartsWith(Shadow, StringComparison.Ordinal) && !name.Contains('.')),
        ];
        if (shadows.Count > 0)
            shadows.IntersectWith(entries.Select(entry => Shadow + entry.Name[prefixLength..].Replace('.', '_')));
        return shadows;
    }

    /// <summary>A mean or a standard deviation of pictures, wherever a wrapper keeps it.</summary>
    private static bool IsStatistic(Entry entry)
    {
        string last = entry.Name[(entry.Name.LastIndexOf('.') + 1)..].Trim('_');
        return entry.Tensor.Elements <= MaxChannels
            && (last.EndsWith("mean", StringComparison.Ordinal) || last.EndsWith("std", StringComparison.Ordinal))
            && last != "running_mean";
    }
}
