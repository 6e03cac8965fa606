namespace Atrous.Checkpoints.Storages;

/// <summary>
/// What names and values of one checkpoint may take in memory while they are read, the files beside it included. A few
/// bytes, packed or repeated, can ask for gigabytes; what a checkpoint says of itself has some megabytes at most.
/// </summary>
internal sealed class ReadBudget(string path)
{
    /// <summary>Characters of a tensor's name; no framework makes half as many.</summary>
    public const int MaxNameLength = 1000;

    /// <summary>Characters of all names together.</summary>
    public const long MaxNameCharacters = 4 << 20;

    private const long MaxBytes = 64 << 20;
    private const int MaxTensors = 100_000;

    /// <summary>Ends a reading that nobody waits for any more.</summary>
    public CancellationToken Cancellation { get; set; }

    private long _bytes;
    private int _tensors;
    private long _nameCharacters;

    /// <summary>Counts memory that is held, or roughly so.</summary>
    /// <exception cref="ModelException">It is more than any checkpoint needs.</exception>
    public void Hold(long bytes)
    {
        _bytes += bytes;
        if (_bytes > MaxBytes)
            throw Error($"has names and values that take more than {MaxBytes >> 20} MiB of memory");
    }

    /// <summary>Counts a tensor.</summary>
    /// <param name="characters">The length of its name with the keys that lead to it.</param>
    /// <exception cref="ModelException">There are more than in any checkpoint.</exception>
    public void CountTensor(int characters)
    {
        _nameCharacters += characters;
        if (++_tensors > MaxTensors)
            throw Error($"has more than {MaxTensors} tensors");
        if (_nameCharacters > MaxNameCharacters)
            throw Error($"has names of more than {MaxNameCharacters >> 20} million characters");
    }

    private ModelException Error(string problem) =>
        new($"The checkpoint '{path}' {problem}, which no network needs; do not trust it.");
}
