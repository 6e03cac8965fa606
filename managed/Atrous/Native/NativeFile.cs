using System.Reflection;
using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <summary>Finds the native library, wherever a build, a package or a publication has put it.</summary>
internal static class NativeFile
{
    /// <summary>On Windows too it begins with "lib": atrous.dll is the managed library's own name there.</summary>
    public static string FileName { get; } =
        $"lib{LibAtrous.Library}"
        + (OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so");

    private static readonly string[] Platforms = ["linux-x64", "linux-arm64", "win-x64"];

    /// <summary>
    /// For <see cref="NativeLibrary.SetDllImportResolver"/>, which asks for every library of the assembly: the system's
    /// are left to the runtime (0).
    /// </summary>
    /// <exception cref="UnavailableException">There is none for this platform, or it cannot be loaded.</exception>
    public static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != LibAtrous.Library)
            return 0;
        string file = FileName, platform = Platform();
        // Beside the assembly, and in the folders of the packages that the application was built with.
        if (NativeLibrary.TryLoad(file, assembly, searchPath, out nint handle))
            return handle;
        // A program of one file has no assembly's path, and a tool for every platform has no list of its libraries.
        string[] places =
        [
            Path.Combine(AppContext.BaseDirectory, file),
            Path.Combine(AppContext.BaseDirectory, "runtimes", platform, "native", file),
        ];
        string? failure = null;
        foreach (string place in places.Where(File.Exists))
        {
            try
            {
                return NativeLibrary.Load(place);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                failure = $"'{place}' cannot be loaded: {ReasonOf(e, place)}.";
            }
        }
        throw new UnavailableException(
            Platforms.Contains(platform) && failure is not null
                ? failure
                : Missing(file, platform, AppContext.BaseDirectory));
    }

    /// <summary>That there is no library, and what to do.</summary>
    /// <param name="file">The name of the library's file.</param>
    /// <param name="platform">The runtime identifier of this process, without a distribution's name.</param>
    /// <param name="folder">The folder of the application.</param>
    public static string Missing(string file, string platform, string folder) => Platforms.Contains(platform)
        ? $"{file} for {platform} is not in '{folder}'; the NuGet package Atrous brings it: let the program's own " +
            $"project refer to the package, and publish it for {platform} or for no platform in particular."
        : $"Atrous has no native library for {platform}; the NuGet package Atrous has those of " +
            $"{string.Join(", ", Platforms)} (Linux with glibc).";

    /// <summary>As packages name it. A distribution's own .NET puts its name and version in place of "linux".</summary>
    private static string Platform()
    {
        string known = RuntimeInformation.RuntimeIdentifier;
        string system = OperatingSystem.IsWindows() ? "win"
            : OperatingSystem.IsMacOS() ? "osx"
            : known.Contains("musl", StringComparison.Ordinal) || known.StartsWith("alpine", StringComparison.Ordinal)
                ? "linux-musl"
            : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

    /// <summary>What the system's loader says, such as which library or which version of glibc is missing.</summary>
    private static string ReasonOf(Exception failure, string file)
    {
        string[] lines =
            failure.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // The loader tries other names as well; the line about this file says most.
        return (lines.FirstOrDefault(line => line.StartsWith(file, StringComparison.Ordinal)) ?? lines[0]).TrimEnd('.');
    }
}
