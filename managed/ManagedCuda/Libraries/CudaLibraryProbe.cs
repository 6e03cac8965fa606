using System.Diagnostics.CodeAnalysis;
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
    private static int? _preferred;

    /// <summary>
    /// Folders to look in before all others, separated as PATH is. Set before the first use of a library.
    /// </summary>
    public static string? Folders { get; set; }

    /// <summary>Loads a library, or returns it if it is loaded.</summary>
    /// <param name="library">The names by which the library is looked for.</param>
    /// <exception cref="CudaLibraryNotFoundException">
    /// None of the places has it, or only a version that is too old.
    /// </exception>
    public static LoadedLibrary Load(CudaLibraryName library)
    {
        var tried = new List<ProbedFile>();
        return Load(library, tried) ?? throw new CudaLibraryNotFoundException(library, tried);
    }

    /// <summary>
    /// Loads a library as <see cref="Load(CudaLibraryName)"/> does, but where there is none it throws nothing: a
    /// program that would use a GPU if there were one asks at every start.
    /// </summary>
    /// <param name="library">The names by which the library is looked for.</param>
    /// <param name="loaded">The library; null where it returns false.</param>
    public static bool TryLoad(CudaLibraryName library, [NotNullWhen(true)] out LoadedLibrary? loaded) =>
        (loaded = Load(library, [])) is not null;

    /// <summary>
    /// From here on libraries of the toolkit are taken of this CUDA where there is one: cuDNN works with the cuBLASLt
    /// and NVRTC that it was built with.
    /// </summary>
    internal static void Prefer(int cuda)
    {
        lock (Loaded)
            _preferred = cuda;
    }

    /// <summary>Looks for a library.</summary>
    /// <param name="library">What is looked for.</param>
    /// <param name="folders">Where it is looked for.</param>
    /// <param name="newest">The newest CUDA that the driver supports; null where that is not known.</param>
    /// <param name="preferred">The CUDA that is taken before all others, wherever it lies; null for none.</param>
    internal static LoadedLibrary Find(
        CudaLibraryName library, LibraryFolders folders, int? newest = null, int? preferred = null)
    {
        var tried = new List<ProbedFile>();
        return Find(library, folders, newest, preferred, tried) ??
            throw new CudaLibraryNotFoundException(library, tried);
    }

    private static LoadedLibrary? Load(CudaLibraryName library, List<ProbedFile> tried)
    {
        lock (Loaded)
        {
            if (Loaded.TryGetValue(library.Name, out LoadedLibrary? loaded))
                return loaded;
            loaded = Find(
                library, LibraryFolders.Of(Folders, Environment.GetEnvironmentVariable),
                library.IsOfToolkit ? DriverCuda() : null, _preferred, tried);
            if (loaded is not null)
                Loaded[library.Name] = loaded;
            return loaded;
        }
    }

    private static LoadedLibrary? Find(
        CudaLibraryName library, LibraryFolders folders, int? newest, int? preferred, List<ProbedFile> tried)
    {
        foreach (string path in Candidates(library.Files, folders)
            .OrderBy(path => preferred is not null && library.CudaOf(path) == preferred ? 0 : 1))
        {
            if (library.CudaOf(path) > newest)
            {
                if (Path.IsPathRooted(path) && File.Exists(path))
                    tried.Add(new ProbedFile(path, $"for a newer CUDA than the driver's, {newest}"));
                continue;
            }
            ProbedFile file = TryTake(path, library, out nint handle);
            tried.Add(file);
            if (handle != 0)
                return new LoadedLibrary(handle, path, tried);
        }
        return null;
    }

    /// <summary>The newest CUDA that the driver supports; null where there is no driver to ask.</summary>
    private static int? DriverCuda()
    {
        if (!TryLoad(CudaLibraryName.Driver, out _))
            return null;
        try
        {
            return Native.DriverApi.Version / 1000;
        }
        catch (CudaException)
        {
            return null;
        }
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
        if (named ? !File.Exists(path) : !NativeLibrary.TryLoad(path, out handle))
            return new ProbedFile(path, named ? "not there" : "unknown to the system's loader", Missing: true);
        try
        {
            if (named)
                handle = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // Where there is a file, the loader's words are worth reading: "libcudnn_graph.so.9: cannot open ..." and
            // the like.
            return new ProbedFile(path, e.Message.ReplaceLineEndings(" ").Trim());
        }
        foreach (string entryPoint in library.Needs)
        {
            if (NativeLibrary.TryGetExport(handle, entryPoint, out _))
                continue;
            NativeLibrary.Free(handle);
            handle = 0;
            return new ProbedFile(path, $"older than {library.Oldest}: it lacks {entryPoint}");
        }
        if (named)
            LoadParts(path, library);
        return new ProbedFile(path, "loaded");
    }

    /// <summary>
    /// Loads what a library will open by its bare name from its own folder, which the system's loader does not know:
    /// what is loaded already is found. Whatever fails here is reported by the library, when it misses it.
    /// </summary>
    private static void LoadParts(string path, CudaLibraryName library)
    {
        if (library.Parts is null || Path.GetDirectoryName(path) is not { } folder)
            return;
        string cuda = library.CudaOf(path) is { } number ? $"{number}" : "";
        List<string> parts =
        [
            .. Directory.EnumerateFiles(folder, library.Parts).Order(StringComparer.Ordinal)
                .Where(part => library.CudaOf(part) is not { } own || cuda.Length == 0 || $"{own}" == cuda),
        ];
        bool findsThem = !OperatingSystem.IsWindows() && parts.Append(path).All(ElfFile.LooksBesideItself);
        if (findsThem && !library.LoadsParts)
            return;
        // Parts need each other; one that misses another is good once that is loaded.
        for (int before = -1; parts.Count != before && parts.Count > 0;)
        {
            before = parts.Count;
            parts.RemoveAll(part => NativeLibrary.TryLoad(part, out _));
        }
    }
}
