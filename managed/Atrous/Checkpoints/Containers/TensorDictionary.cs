using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>A dictionary or a list of a file, with the tensors that lie in it.</summary>
/// <param name="key">Its key in <paramref name="parent"/>; empty for the root.</param>
/// <param name="parent">What it lies in; null for the root.</param>
internal sealed class TensorDictionary(string key, TensorDictionary? parent)
{
    public string Key { get; } = key;

    public TensorDictionary? Parent { get; } = parent;

    public OrderedDictionary<string, StoredTensor> Tensors { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Small values that lie in it, as text.</summary>
    public Dictionary<string, string> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>What lies in it and is neither a tensor nor a plain value, and what each is.</summary>
    public Dictionary<string, string> Unreadable { get; } = new(StringComparer.Ordinal);

    /// <summary>The keys from the root to it, joined by dots; empty for the root.</summary>
    public string Path => Parent is { Path: { Length: > 0 } above } ? $"{above}.{Key}" : Key;

    /// <summary>The small values of it and of all that it lies in, the outermost first.</summary>
    public IReadOnlyDictionary<string, string> Extras(int most)
    {
        var extras = new Dictionary<string, string>(StringComparer.Ordinal);
        var way = new Stack<TensorDictionary>();
        for (TensorDictionary? place = this; place is not null; place = place.Parent)
            way.Push(place);
        foreach ((string name, string value) in way.SelectMany(place => place.Values))
        {
            if (extras.Count < most)
                extras.TryAdd(name, value);
        }
        return extras;
    }
}
