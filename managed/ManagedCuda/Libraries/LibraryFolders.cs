namespace Atrous.ManagedCuda.Libraries;

/// <summary>
/// Where the libraries of NVIDIA's are looked for, in this order: the folders of an explicit option, those of
/// ATROUS_CUDA_PATH (separated as PATH is), the system's loader, the wheels of Python installations
/// (site-packages/nvidia/*/lib), the toolkit.
/// </summary>
internal sealed record LibraryFolders(string[] Named, string[] Wheels, string[] Toolkit)
{
    /// <summary>Names the folders to look in first.</summary>
    public const string Variable = "ATROUS_CUDA_PATH";

    private static readonly string[] WheelNames = ["cudnn", "cublas", "cuda_nvrtc", "cu13", "cu12"];

    /// <summary>The folders of this machine.</summary>
    /// <param name="option">Folders named by the application, separated as PATH is; or nothing.</param>
    /// <param name="variable">Reads an environment variable.</param>
    public static LibraryFolders Of(string? option, Func<string, string?> variable)
    {
        string[] named = [.. Split(option), .. Split(variable(Variable))];
        string[] wheels =
        [
            .. Prefixes(variable).Distinct().SelectMany(PackageFolders).Distinct()
                .SelectMany(packages => InWheels(packages, OperatingSystem.IsWindows()))
                .Where(Directory.Exists),
        ];
        string? toolkit = variable("CUDA_PATH") ?? variable("CUDA_HOME");
        string[] toolkits = OperatingSystem.IsWindows()
            ? toolkit is null ? [] : [Path.Combine(toolkit, "bin"), Path.Combine(toolkit, "bin", "x64")]
            : [.. toolkit is null ? Array.Empty<string>() : [Path.Combine(toolkit, "lib64")], "/usr/local/cuda/lib64"];
        return new LibraryFolders(named, wheels, [.. toolkits.Distinct()]);
    }

    /// <summary>
    /// Where the wheels below a folder of packages keep their libraries; CUDA 13's have a folder per architecture on
    /// Windows.
    /// </summary>
    internal static IEnumerable<string> InWheels(string packages, bool windows) => WheelNames.SelectMany(name =>
    {
        string wheel = Path.Combine(packages, "nvidia", name);
        return windows
            ? (string[])[Path.Combine(wheel, "bin", "x86_64"), Path.Combine(wheel, "bin")]
            : [Path.Combine(wheel, "lib")];
    });

    private static string[] Split(string? folders) =>
        folders?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        ?? [];

    /// <summary>
    /// Installations of Python: the active environment, those whose python is in PATH, and the usual places.
    /// </summary>
    private static IEnumerable<string> Prefixes(Func<string, string?> variable)
    {
        foreach (string name in (string[])["VIRTUAL_ENV", "CONDA_PREFIX"])
        {
            if (variable(name) is { Length: > 0 } prefix)
                yield return prefix;
        }
        foreach (string folder in Split(variable("PATH")))
        {
            string[] programs = OperatingSystem.IsWindows() ? ["python.exe"] : ["python3", "python"];
            if (!programs.Any(program => File.Exists(Path.Combine(folder, program))))
                continue;
            // Windows keeps python.exe in the prefix itself, Unix in its bin.
            if ((OperatingSystem.IsWindows()
                ? folder
                : Path.GetDirectoryName(folder.TrimEnd('/'))) is { Length: > 0 } prefix)
                yield return prefix;
        }
        if (OperatingSystem.IsWindows())
            yield break;
        if (variable("HOME") is { Length: > 0 } home)
            yield return Path.Combine(home, ".local");
        foreach (string usual in (string[])["/usr/local", "/usr", "/opt/conda", "/opt/venv"])
            yield return usual;
    }

    private static IEnumerable<string> PackageFolders(string prefix)
    {
        if (OperatingSystem.IsWindows())
            return [Path.Combine(prefix, "Lib", "site-packages")];
        string[] libraries = [Path.Combine(prefix, "lib"), Path.Combine(prefix, "lib64")];
        return libraries.Where(Directory.Exists)
            .SelectMany(
                library => Directory.EnumerateDirectories(library, "python3*").Order(StringComparer.Ordinal).Reverse())
            .SelectMany(
                python => (string[])[Path.Combine(python, "site-packages"), Path.Combine(python, "dist-packages")]);
    }
}
