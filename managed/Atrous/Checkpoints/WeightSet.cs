using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints;

/// <summary>Tensors of a file that may be one network's: those of a dictionary whose names share a prefix.</summary>
/// <param name="Dictionary">The dictionary where they lie.</param>
/// <param name="Prefix">What every name begins with in the file, for example "module.model."; may be empty.</param>
/// <param name="Tensors">
/// By their names without it, in the file's order; behind them, by their whole names, what a wrapper normalises
/// pictures with.
/// </param>
internal sealed record WeightSet(
    TensorDictionary Dictionary, string Prefix, OrderedDictionary<string, StoredTensor> Tensors)
{
    /// <summary>The keys and the prefix that lead to it: "state_dict.ema_model"; empty for a whole root.</summary>
    public string Name
    {
        get
        {
            string path = Dictionary.Path, prefix = Prefix.TrimEnd('.');
            return path.Length == 0 || prefix.Length == 0 ? path + prefix : $"{path}.{prefix}";
        }
    }

    /// <summary>All tensors of a dictionary, by the names that they have in it.</summary>
    public static WeightSet Whole(TensorDictionary dictionary) => new(dictionary, "", dictionary.Tensors);
}
