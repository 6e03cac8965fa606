namespace Atrous.ManagedCuda.Libraries;

/// <summary>
/// A library of NVIDIA's that this machine does not have, or only too old; the message lists what was tried.
/// </summary>
public sealed class CudaLibraryNotFoundException : Exception
{
    internal CudaLibraryNotFoundException(CudaLibraryName library, IReadOnlyList<ProbedFile> tried)
        : base($"{library.Files[0]} ({library.Oldest} or newer) cannot be loaded; tried {Sentence(tried)}; " +
        $"{library.Remedy}.")
    {
        Library = library;
        Tried = tried;
    }

    public CudaLibraryName Library { get; }

    /// <summary>Every file that was tried, in order, and why it was not taken.</summary>
    public IReadOnlyList<ProbedFile> Tried { get; }

    /// <summary>
    /// What was there but could not be taken comes with its reason; names that nothing was found under are only listed.
    /// </summary>
    private static string Sentence(IReadOnlyList<ProbedFile> tried) =>
        string.Join(", ", tried.Select(file => file.Missing ? file.Path : $"{file.Path} ({file.Outcome})"));
}
