using System.Text;
using System.Text.Json;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// What OpenMMLab's runners store beside the weights: `meta`, or in newer files the same facts in the message hub.
/// </summary>
internal static class TrainingMeta
{
    /// <summary>The fact that stands for what modules say that were saved whole.</summary>
    public const string Modules = "modules";

    private const int MaxTextBytes = 4 << 20;

    private static readonly string[] Facts =
        ["config", "cfg", "CLASSES", "PALETTE", "dataset_meta", "mmseg_version", "mmengine_version", Modules];

    /// <summary>The facts as JSON; null where a file has none.</summary>
    /// <param name="budget">What the file's values are counted in.</param>
    /// <param name="root">What the file holds.</param>
    /// <param name="ofModules">The same of modules that were saved whole; null where they say nothing.</param>
    public static JsonElement? Of(ReadBudget budget, PickleDict? root, PickleDict? ofModules)
    {
        var facts = new PickleDict();
        foreach (PickleDict place in Places(root, ofModules))
        {
            foreach (string name in Facts)
            {
                // Null where it is too large: that one fact is then missing, and no other.
                if (place.Items.TryGetValue(name, out object? value) && PickleJson.Of(Text(value)) is not null)
                    facts.Items.TryAdd(name, Text(value));
            }
        }
        return facts.Items.Count == 0 ? null : PickleJson.Of(facts, budget);
    }

    private static IEnumerable<PickleDict> Places(PickleDict? root, PickleDict? ofModules)
    {
        if (root is not null && Inner(root, "meta") is { } meta)
            yield return meta;
        if (root is not null && Inner(root, "message_hub") is { } hub && Inner(hub, "runtime_info") is { } info)
            yield return info;
        if (ofModules is not null)
            yield return ofModules;
    }

    private static PickleDict? Inner(PickleDict dict, string key) =>
        dict.Items.TryGetValue(key, out object? value) ? value as PickleDict : null;

    private static object? Text(object? value) =>
        value is PickleLongText { Utf8: { Length: <= MaxTextBytes } utf8 } ? Encoding.UTF8.GetString(utf8.ToArray())
        : value;
}
