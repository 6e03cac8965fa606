using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Why a file is taken for a dialect's, in the words that `info` shows; null where it is not.</summary>
internal static class Evidence
{
    /// <summary>The weights' keys themselves, where all of them are there.</summary>
    public static string? Keys(IWeightSource weights, params string[] keys) =>
        weights.Has(keys) ? string.Join(", ", keys) : null;

    /// <summary>The names of metadata entries, where all of them are there.</summary>
    public static string? Metadata(ICheckpoint checkpoint, params string[] entries) =>
        Array.TrueForAll(entries, checkpoint.Metadata.ContainsKey) ? "metadata " + string.Join(", ", entries) : null;

    /// <summary>A metadata entry with its value.</summary>
    public static string? MetadataValue(ICheckpoint checkpoint, string entry) =>
        checkpoint.Metadata.TryGetValue(entry, out string? value) ? $"metadata {entry} {value}" : null;
}
