namespace Atrous.Fuzz;

/// <summary>Something that reads what strangers made.</summary>
/// <param name="Name">How it is called on the command line.</param>
/// <param name="Seeds">Sound inputs, which are mutated with those of its folder in tests/fuzz/cases.</param>
/// <param name="Mutate">Another input, made of one that there is.</param>
/// <param name="Read">Reads it.</param>
/// <param name="IsRefusal">Whether an exception is how it refuses inputs.</param>
internal sealed record Target(
    string Name, Func<IEnumerable<byte[]>> Seeds, Func<Random, byte[], byte[]> Mutate, Action<byte[]> Read,
    Func<Exception, bool> IsRefusal)
{
    /// <summary>More sound inputs, and those that were at fault once.</summary>
    public IEnumerable<byte[]> Cases
    {
        get
        {
            string folder = Path.Combine("tests/fuzz/cases", Name);
            return Directory.Exists(folder)
                ? Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)
                : [];
        }
    }
}
