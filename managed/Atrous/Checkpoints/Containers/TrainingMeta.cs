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
    private const int MaxTextBytes = 4 << 20;

    private static readonly string[] Facts =
        ["config", "cfg", "CLASSES", "PALETTE", "dataset_meta", "mmseg_version", "mmengine_version"];

    /// <summary>The facts as JSON; null where a file has none.</summary>
    public static JsonElement? Of(ReadBudget budget, PickleDict? root)
    {
        if (root is null)
            return null;
        var facts = new PickleDict();
        foreach (PickleDict place in Places(root))
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

    private static IEnumerable<PickleDict> Places(PickleDict root)
    {
        if (Inner(root, "meta") is { } meta)
            yield return meta;
        if (Inner(root, "message_hub") is { } hub && Inner(hub, "runtime_info") is { } info)
            yield return info;
    }

    private static PickleDict? Inner(PickleDict dict, string key) =>
        dict.Items.TryGetValue(key, out object? value) ? value as PickleDict : null;

    private static object? Text(object? value) =>
        value is PickleLongText { Utf8: { Length: <= MaxTextBytes } utf8 } ? Encoding.UTF8.GetString(utf8.ToArray())
        : value;
}
