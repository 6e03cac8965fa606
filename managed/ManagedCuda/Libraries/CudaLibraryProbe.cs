using System.Reflection;
using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda.Libraries;

/// <summary>One file that was tried.</summary>
/// <param name="Path">A full path, or a bare name that the system's loader was asked for.</param>
/// <param name="Outcome">"loaded", or why it was not taken.</param>
/// <param name="Missing">True if there was no such file, false if there was one that was loaded or refused.</param>
public sealed record ProbedFile(string Path, string Outcome, bool Missing = false);

/// <summary>A library that was taken.</summary>
/// <param name="Handle">The handle that the functions of <see cref="NativeLibrary"/> take.</param>
/// <param name="Path">The file, as it was asked for.</param>
/// <param name="Tried">Every file up to it, in order.</param>
public sealed record LoadedLibrary(nint Handle, string Path, IReadOnlyList<ProbedFile> Tried);

/// <summary>
/// Finds NVIDIA's libraries at run time, in one order: the folders of <see cref="Folders"/>, those of ATROUS_CUDA_PATH,
/// the system's loader (libX.so.major, the newest first, then libX.so), the wheels of Python installations, the
/// toolkit's folder. What was taken stays taken for the life of the process.
/// </summary>
public static class CudaLibraryProbe
{
    private static readonly Dictionary<string, LoadedLibrary> Loaded = [];

    /// <summary>
    /// Folders to look in before all others, separated as PATH is. Set before the first use of a library.
    /// </summary>
    public static string? Folders { get; set; }

    /// <summary>Loads a library, or returns it if it is loaded.</summary>
    /// <exception cref="CudaLibraryNotFoundException">
    /// None of the places has it, or only a version that is too old.
    /// </exception>
    public static LoadedLibrary Load(CudaLibraryName library)
    {
        lock (Loaded)
        {
            if (!Loaded.TryGetValue(library.Name, out LoadedLibrary? loaded))
                Loaded[library.Name] = loaded =
                    Find(library, LibraryFolders.Of(Folders, Environment.GetEnvironmentVariable));
            return loaded;
        }
    }

    /// <summary>
    /// Loads a library that others look for by its bare name: what is loaded already is found wherever it lies.
    /// </summary>
    internal static void TryPreload(CudaLibraryName library)
    {
        try
        {
            Load(library);
        }
        catch (CudaLibraryNotFoundException)
        {
            // Not every engine needs it. The one that does reports its absence by a status of its own.
        }
    }

    internal static LoadedLibrary Find(CudaLibraryName library, LibraryFolders folders)
    {
        var tried = new List<ProbedFile>();
        foreach (string path in Candidates(library.Files, folders))
        {
            ProbedFile file = TryTake(path, library, out nint handle);
            tried.Add(file);
            if (handle != 0)
                return new LoadedLibrary(handle, path, tried);
        }
        throw new CudaLibraryNotFoundException(library, tried);
    }

    /// <summary>For an assembly's imports of one library.</summary>
    internal static void Serve(Assembly assembly, CudaLibraryName library) => NativeLibrary.SetDllImportResolver(
        assembly, (name, _, _) => name == library.Name ? Load(library).Handle : 0);

    private static IEnumerable<string> Candidates(string[] files, LibraryFolders folders) =>
    [
        .. folders.Named.SelectMany(folder => files.Select(file => Path.Combine(folder, file))),
        .. files,
        .. folders.Wheels.Concat(folders.Toolkit)
            .SelectMany(folder => files.Select(file => Path.Combine(folder, file))),
    ];

    private static ProbedFile TryTake(string path, CudaLibraryName library, out nint handle)
    {
        handle = 0;
        bool named = Path.IsPathRooted(path) || path.Contains(Path.DirectorySeparatorChar);
        if (named && !File.Exists(path))
            return new ProbedFile(path, "not there", Missing: true);
        try
        {
            handle = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // The loader's words are worth reading only where there is a file: "libcudnn_graph.so.9: cannot open ..."
            // and the like.
            return named
                ? new ProbedFile(path, e.Message.ReplaceLineEndings(" ").Trim())
                : new ProbedFile(path, "unknown to the system's loader", Missing: true);
        }
        foreach (string entryPoint in library.Needs)
        {
            if (NativeLibrary.TryGetExport(handle, entryPoint, out _))
                continue;
            NativeLibrary.Free(handle);
            handle = 0;
            return new ProbedFile(path, $"older than {library.Oldest}: it lacks {entryPoint}");
        }
        return new ProbedFile(path, "loaded");
    }
}
