using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;

namespace Atrous;

/// <summary>
/// Finds the network among a file's tensors: each dictionary and each prefix of names is shown to the dialects, and
/// what is complete wins. Where several are, the switch `weights` chooses.
/// </summary>
internal static class NetworkSearch
{
    public const string Option = "weights";

    /// <summary>The name of a network that has neither a key nor a prefix.</summary>
    private const string Root = "root";

    /// <summary>
    /// How many sets of tensors are looked at that a dialect takes for its own: each is described, and a hostile file
    /// has a hundred thousand.
    /// </summary>
    private const int MaxRecognised = 100;

    private static readonly int[] OutputStrides = [8, 16, 32];

    /// <summary>The network's tensors, and the description of it with the user's choices.</summary>
    /// <exception cref="ModelException">No dialect fits any of them.</exception>
    /// <exception cref="UnavailableException">
    /// There is no such network, dialect, switch or output stride.
    /// </exception>
    public static (Checkpoint Weights, ModelDescription Description) Find(Checkpoint file, SegmenterOptions options)
    {
        string? wanted = options.Switches.GetValueOrDefault(Option);
        var switches = options.Switches.Where(row => row.Key != Option).ToDictionary();
        List<StoredNetwork> all = Search(file, options.Dialect, out bool stopped);
        if (all.Count == 0)
        {
            // A name by which a dialect is recognised may be one of these.
            if (file.Unreadable.FirstOrDefault(row => row.Value.Contains("tensor", StringComparison.Ordinal)).Key
                is { } unreadable)
                throw Unreadable(file, unreadable);
            return (file, Dialect.Describe(file, options.Dialect, new DialectChoice(options.OutputStride, switches)));
        }
        List<StoredNetwork> complete = all.FindAll(network => network.IsComplete);
        if (stopped && complete.Count == 0)
            throw new ModelException(
                $"'{file.Path}' has more than {MaxRecognised} sets of tensors that look like a network, and none of " +
                $"the first {MaxRecognised} is complete; save the one that is meant alone.");
        StoredNetwork chosen =
            wanted is null ? complete.FirstOrDefault() ?? all[0] : Named(wanted, file, all, complete, stopped);
        Checkpoint weights = chosen.Weights.Without(complete.Select(network => network.Weights));
        ModelDescription description = Describe(weights, options, switches);
        CheckReadable(weights, description);
        if (complete.Count > 1 || stopped)
        {
            var row = new Switch(
                Option, NameOf(chosen, complete),
                $"which of the file's networks is used ({Names(complete, stopped)})");
            description = description with { Switches = [row, .. description.Switches] };
        }
        return (weights, description);
    }

    /// <summary>
    /// What dialects recognise, first what a training script would load: copies such as averaged weights come last.
    /// </summary>
    /// <param name="file">The open checkpoint, whose sets are looked at in turn.</param>
    /// <param name="dialect">The only one that is asked; null for all.</param>
    /// <param name="stopped">Whether there were more than <see cref="MaxRecognised"/>.</param>
    private static List<StoredNetwork> Search(Checkpoint file, string? dialect, out bool stopped)
    {
        int recognised = 0;
        var nearly = new List<StoredNetwork>();
        foreach (IEnumerable<Checkpoint> sets in file.Sets)
        {
            var found = new List<StoredNetwork>();
            var taken = new HashSet<object>();
            foreach (Checkpoint set in sets)
            {
                if (!Dialect.Knows(set, dialect))
                    continue;
                if (++recognised > MaxRecognised)
                    break;
                StoredNetwork network = StoredNetwork.Recognise(set, dialect);
                // A part of one that was found (a dialect knows the prefix itself), or the same by another key.
                if (network.IsComplete && taken.IsSupersetOf(network.Places))
                    continue;
                taken.UnionWith(network.Places);
                found.Add(network);
            }
            nearly.AddRange(found);
            stopped = recognised > MaxRecognised;
            if (stopped || found.Exists(network => network.IsComplete))
                return [.. (stopped ? nearly : found).OrderBy(network => network.IsCopy)];
        }
        stopped = false;
        return [.. nearly.OrderBy(network => network.IsCopy)];
    }

    /// <summary>The dictionary's own name is enough where it holds but one network.</summary>
    private static string NameOf(StoredNetwork network, List<StoredNetwork> complete)
    {
        string path = network.Weights.WeightsPath;
        bool only = complete.Count(other => other.Weights.WeightsPath == path) < 2;
        return (only ? path : network.Weights.SetName) is { Length: > 0 } name ? name : Root;
    }

    private static string Names(List<StoredNetwork> complete, bool stopped) =>
        string.Join(", ", complete.Select(network => NameOf(network, complete)))
        + (stopped ? $"; only the first {MaxRecognised} were looked at" : "");

    private static StoredNetwork Named(
        string wanted, Checkpoint file, List<StoredNetwork> all, List<StoredNetwork> complete, bool stopped)
    {
        StoredNetwork? exact = complete.Find(network => NameOf(network, complete) == wanted)
            ?? all.Find(network => network.Weights.SetName == wanted);
        if (exact is not null)
            return exact;
        // A part of the name will do where only one network has it.
        List<StoredNetwork> partly = complete.FindAll(Has);
        if (partly.Count == 0)
            partly = all.FindAll(Has);
        if (partly is [StoredNetwork single])
            return single;
        string has = complete.Count == 0 ? "it has no complete network" : "it has " + Names(complete, stopped);
        throw new UnavailableException(
            partly.Count > 1 ? $"'{file.Path}' has several networks under '{wanted}'; {has}."
            : !stopped && file.Sets.First().Any(set => set.SetName == wanted)
            ? $"What '{file.Path}' has under '{wanted}' is no network that Atrous knows; {has}."
            : $"'{file.Path}' has no network '{wanted}'; {has}.");

        bool Has(StoredNetwork network) =>
            $".{network.Weights.SetName}.".Contains($".{wanted}.", StringComparison.Ordinal);
    }

    /// <summary>
    /// A file that says what its layers do settles the output stride, and is refused where the network that was
    /// recognised is another one. Another output stride may be asked for, but nothing else that contradicts the file.
    /// </summary>
    private static ModelDescription Describe(
        Checkpoint weights, SegmenterOptions options, Dictionary<string, string> switches)
    {
        ModelDescription asked = Described(options.OutputStride);
        if (StatedLayers.Contradiction(asked, weights) is not { } contradiction)
            return asked;
        foreach (int stride in OutputStrides)
        {
            try
            {
                ModelDescription stated = Described(stride);
                if (StatedLayers.Contradiction(stated, weights) is null)
                {
                    return options.OutputStride is not null
                        ? asked
                        : stated with { OutputStrideSource = Switch.Modules };
                }
            }
            catch (Exception e) when (e is UnavailableException or ModelException)
            {
                // The network has no such output stride.
            }
        }
        string names = string.Join(", ", asked.Switches.Select(row => row.Name));
        throw new ModelException(
            $"'{weights.Path}' says that the layer of '{contradiction.Layer}' has {contradiction.Stated}, and the " +
            $"network that was recognised has {contradiction.Assumed} there; choose the output stride" +
            (names.Length > 0 ? $" or a switch ({names}) that fits." : " that fits.") +
            string.Concat(asked.Notes.Select(note => " " + note)));

        ModelDescription Described(int? outputStride)
        {
            try
            {
                return Dialect.Describe(weights, options.Dialect, new DialectChoice(outputStride, switches));
            }
            catch (ModelException) when (weights.Unreadable.Count > 0)
            {
                // Most often because of these, which the dialect did not find.
                throw Unreadable(weights, weights.Unreadable.Keys.First());
            }
        }
    }

    private static ModelException Unreadable(Checkpoint weights, string name) => new(
        $"'{weights.Path}' has '{name}' among its weights, which is {weights.Unreadable[name]} and not supported.");

    private static void CheckReadable(Checkpoint weights, ModelDescription description)
    {
        if (weights.Unreadable.Count == 0)
            return;
        string? name = Model.Compare(description, weights).Missing
            .Select(missing => weights.StrippedPrefix + missing).FirstOrDefault(weights.Unreadable.ContainsKey);
        if (name is not null)
            throw Unreadable(weights, name);
    }
}
