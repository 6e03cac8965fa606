using System.Text.Json;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// What a network or its training was made with, where a script keeps it beside the weights: Lightning's
/// `hyper_parameters`, a `config`, the `args` of a command line, or single values next to them.
/// </summary>
internal static class TrainingArguments
{
    /// <summary>How the root's own values are called, which have no key.</summary>
    public const string Root = "the file";

    /// <summary>A longer list is a history of losses.</summary>
    private const int MaxListed = 16;

    /// <summary>No script keeps more single values next to its weights.</summary>
    private const int MaxOwn = 1000;

    /// <summary>Lightning's first; the others are what scripts call theirs.</summary>
    private static readonly string[] Keys =
    [
        "hyper_parameters", "hparams", "hyperparameters", "config", "cfg", "conf", "args", "opt", "options", "params",
        "model_config", "model_cfg", "model_args", "model_kwargs", "model_params", "init_args",
    ];

    /// <summary>Those that are data, as JSON, by their keys.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Of(ReadBudget budget, PickleDict? root)
    {
        var found = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        if (root is null)
            return found;
        foreach (string key in Keys)
        {
            if (root.Items.TryGetValue(key, out object? value) && !IsPlain(value)
                && PickleJson.Of(value, budget) is { ValueKind: JsonValueKind.Object } arguments)
                found.Add(key, arguments);
        }
        if (Own(root) is { Items.Count: > 0 } values && PickleJson.Of(values, budget) is { } own)
            found.Add(Root, own);
        return found;
    }

    /// <summary>Plain values and short lists of the root itself.</summary>
    private static PickleDict Own(PickleDict root)
    {
        var own = new PickleDict();
        foreach ((string key, object? value) in root.Items)
        {
            IReadOnlyList<object?>? items = value is PickleList list ? list.Items : value as object?[];
            if (IsPlain(value) || items is { Count: <= MaxListed } && items.All(IsPlain))
                own.Items.Add(key, value);
            if (own.Items.Count == MaxOwn)
                break;
        }
        return own;
    }

    private static bool IsPlain(object? value) => value is string or long or double or bool;
}
