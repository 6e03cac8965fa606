using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;

namespace Atrous;

/// <summary>Tensors of a file that a dialect takes for its network's.</summary>
internal sealed class StoredNetwork
{
    /// <summary>Words in the names of copies that training keeps beside the network that it trains.</summary>
    private static readonly string[] Copies =
        ["ema", "teacher", "swa", "averaged", "average", "avg", "shadow", "momentum", "target"];

    private StoredNetwork(Checkpoint weights) => Weights = weights;

    /// <summary>The file, with this network's tensors.</summary>
    public Checkpoint Weights { get; }

    /// <summary>Whether a network can be built from them.</summary>
    public bool IsComplete { get; private init; }

    /// <summary>Where the values of the tensors that it uses begin.</summary>
    public IReadOnlyList<object> Places { get; private init; } = [];

    /// <summary>Whether its name says that it is a copy of another one, averaged over the training perhaps.</summary>
    public bool IsCopy =>
        Weights.SetName.Split('.', '_').Any(word => Copies.Contains(word, StringComparer.OrdinalIgnoreCase));

    /// <summary>What the dialect makes of tensors that it knows.</summary>
    public static StoredNetwork Recognise(Checkpoint weights, string? dialect)
    {
        try
        {
            ModelDescription description = Dialect.Describe(weights, dialect, new DialectChoice());
            (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(description, weights);
            return new StoredNetwork(weights)
            {
                IsComplete = missing.Count == 0,
                Places = [.. weights.Places(weights.Weights.Keys.Except(unexpected))],
            };
        }
        catch (ModelException)
        {
            // Of this dialect, and not of a network that it has: it is described again, and says so, where nothing else
            // in the file is complete.
            return new StoredNetwork(weights);
        }
    }
}
