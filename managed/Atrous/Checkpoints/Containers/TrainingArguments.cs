using System.Text;
using System.Text.Json;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;
using Atrous.Specs;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// What a network or its training was made with, where a script keeps it beside the weights: Lightning's
/// `hyper_parameters`, a `config`, the `args` of a command line, single values next to them, or whatever dictionary or
/// JSON text has arguments of a network in it.
/// </summary>
internal static class TrainingArguments
{
    /// <summary>How the root's own values are called, which have no key.</summary>
    public const string Root = "the file";

    /// <summary>A longer list is a history of losses.</summary>
    private const int MaxListed = 16;

    /// <summary>No script keeps more single values next to its weights.</summary>
    private const int MaxOwn = 1000;

    /// <summary>How deep arguments are looked for, among how many entries, and of how many dictionaries.</summary>
    private const int MaxDepth = 3, MaxEntries = 20_000, MaxFound = 16;

    /// <summary>Of all texts together that may be JSON: one can be kept under many names.</summary>
    private const int MaxTextBytes = 4 << 20;

    /// <summary>Lightning's first; the others are what scripts call theirs.</summary>
    private static readonly string[] Keys =
    [
        "hyper_parameters", "hparams", "hyperparameters", "config", "cfg", "conf", "args", "opt", "options", "params",
        "model_config", "model_cfg", "model_args", "model_kwargs", "model_params", "init_args",
    ];

    /// <summary>
    /// Names of segmentation_models.pytorch's arguments that no other library gives to its own; one suffices to tell a
    /// dictionary of them, whatever it is called.
    /// </summary>
    public static IReadOnlyList<string> Marks { get; } =
    [
        "encoder_name", "encoder_output_stride", "decoder_atrous_rates", "encoder_depth", "decoder_channels",
        "decoder_aspp_separable",
    ];

    /// <summary>Whether scripts call their own network's arguments so.</summary>
    public static bool IsUsual(string place) => place is Root or Switch.Modules || Keys.Contains(place);

    /// <summary>Those that are data, as JSON, by their keys.</summary>
    /// <param name="budget">What the file's values are counted in.</param>
    /// <param name="root">What the file holds.</param>
    /// <param name="ofModules">What modules say that were saved whole; null where they say nothing.</param>
    public static IReadOnlyDictionary<string, JsonElement> Of(
        ReadBudget budget, PickleDict? root, PickleDict? ofModules)
    {
        var found = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        if (ofModules is not null && PickleJson.Of(ofModules, budget) is { } saved)
            found.Add(Switch.Modules, saved);
        if (root is null)
            return found;
        foreach (string key in Keys)
        {
            if (root.Items.TryGetValue(key, out object? value) && !IsPlain(value)
                && PickleJson.Of(value, budget) is { ValueKind: JsonValueKind.Object } arguments)
                found.Add(key, arguments);
        }
        foreach ((string path, JsonElement arguments) in Marked(budget, root))
            found.TryAdd(path, arguments);
        if (Own(root) is { Items.Count: > 0 } values && PickleJson.Of(values, budget) is { } own)
            found.Add(Root, own);
        return found;
    }

    /// <summary>
    /// Dictionaries that have a mark, the outermost of each nest, by the keys that lead to them; the root's own values
    /// are looked at apart. What is not looked at again: each dictionary, and what was found by its key already.
    /// </summary>
    private static IEnumerable<(string Path, JsonElement Arguments)> Marked(ReadBudget budget, PickleDict root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { root };
        var queue = new Queue<(string Path, PickleDict Place, int Depth)>();
        queue.Enqueue(("", root, 0));
        int entries = 0, tried = 0;
        long texts = 0;
        while (queue.TryDequeue(out (string Path, PickleDict Place, int Depth) next))
        {
            foreach ((string key, object? value) in next.Place.Items)
            {
                if (++entries > MaxEntries)
                    yield break;
                if (key.Length > ReadBudget.MaxNameLength || (next.Depth == 0 && Keys.Contains(key) && value is not
                    (string or PickleLongText)))
                    continue;
                string path = next.Path.Length == 0 ? key : $"{next.Path}.{key}";
                if (JsonIn(value, budget, ref texts) is { } text)
                {
                    yield return (path, text);
                }
                else if (PickleJson.EntriesOf(value) is { } inner && seen.Add(inner))
                {
                    if (!Marks.Any(inner.Items.ContainsKey))
                    {
                        if (next.Depth + 1 < MaxDepth)
                            queue.Enqueue((path, inner, next.Depth + 1));
                    }
                    else
                    {
                        // What is too large costs as much as what is not.
                        if (++tried > MaxFound)
                            yield break;
                        if (PickleJson.Of(inner, budget) is { ValueKind: JsonValueKind.Object } arguments)
                            yield return (path, arguments);
                    }
                }
            }
        }
    }

    /// <summary>An object that is kept as a text of JSON; null for other texts, and for those without a mark.</summary>
    private static JsonElement? JsonIn(object? value, ReadBudget budget, ref long texts)
    {
        if (value is string { Length: > 0 } start && start[0] is not ('{' or ' ' or '\n'))
            return null;
        texts += (value as string)?.Length ?? (value as PickleLongText)?.Utf8.Length ?? 0;
        string? text = texts > MaxTextBytes ? null : value switch
        {
            string whole => whole,
            PickleLongText { Utf8: var utf8 } => Encoding.UTF8.GetString(utf8.ToArray()),
            _ => null,
        };
        if (text is null || !text.AsSpan().TrimStart().StartsWith('{')
            || !Marks.Any(mark => text.Contains($"\"{mark}\"", StringComparison.Ordinal))
            || SoundJson.ObjectIn(text) is not { } json)
            return null;
        budget.Hold(text.Length);
        return json;
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
