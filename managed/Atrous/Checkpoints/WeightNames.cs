namespace Atrous.Checkpoints;

/// <summary>Facts about the names of tensors that hold for every dialect.</summary>
internal static class WeightNames
{
    private static readonly string[] Wrappers = ["module.", "model.", "net."];

    /// <summary>
    /// The prefix that wrappers put before every name: DataParallel's "module.", Lightning's "model." or "net.", also
    /// nested ("module.model."). Names without a dot (buffers of the wrapper itself, such as "mean") do not count.
    /// </summary>
    /// <returns>Empty when the names share no such prefix, or when taking it off would make two names equal.</returns>
    public static string CommonPrefix(IEnumerable<string> names)
    {
        List<string> all = [.. names];
        List<string> dotted = all.FindAll(name => name.Contains('.'));
        if (dotted.Count == 0)
            return "";
        string prefix = "";
        while (Array.Find(
            Wrappers, wrapper => dotted.TrueForAll(name => HasWrapper(name, prefix + wrapper))) is { } next)
            prefix += next;
        var taken = all.Where(name => !name.Contains('.')).ToHashSet(StringComparer.Ordinal);
        return dotted.Exists(name => taken.Contains(name[prefix.Length..])) ? "" : prefix;
    }

    // A name never becomes empty.
    private static bool HasWrapper(string name, string prefix) =>
        name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal);
}
