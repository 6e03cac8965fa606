using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Atrous.Cli.Output;

/// <summary>
/// Unfinished outputs of runs that were killed before they could remove them: each is named after its run, so that the
/// next run in the folder knows which are nobody's.
/// </summary>
internal static class LeftoverFiles
{
    private const string Prefix = ".atrous-";

    /// <summary>Of a run on another machine, or in another container, nobody here knows whether it goes on.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromDays(1);

    private static readonly string Own = $"{Prefix}{Place()}-";

    /// <summary>A name for a new output: ".atrous-PLACE-PROCESS-RANDOM".</summary>
    public static string NewName() => string.Create(
        CultureInfo.InvariantCulture, $"{Own}{Environment.ProcessId}-{Path.GetRandomFileName()}");

    /// <summary>Removes what killed runs have left in a folder; what cannot be removed stays.</summary>
    public static void Sweep(string folder)
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, Prefix + "*"))
            {
                if (IsLeft(path))
                    File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The output itself will say it where the folder is of no use.
            return;
        }
    }

    private static bool IsLeft(string path)
    {
        string name = Path.GetFileName(path);
        if (!name.StartsWith(Own, StringComparison.Ordinal))
            return DateTime.UtcNow - File.GetLastWriteTimeUtc(path) > LongestRun;
        string process = name[Own.Length..].Split('-')[0];
        return int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && !Runs(id);
    }

    private static bool Runs(int process)
    {
        try
        {
            using var running = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Where a process's number means the same: this machine since its start, this container.</summary>
    private static string Place()
    {
        var place = new StringBuilder(Environment.MachineName);
        try
        {
            place.Append(File.ReadAllText("/proc/sys/kernel/random/boot_id"));
            place.Append(new FileInfo("/proc/self/ns/pid").LinkTarget);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux, or not told: the machine's name has to do.
            place.Append(Environment.OSVersion.Platform);
        }
        byte[] hash = XxHash128.Hash(Encoding.UTF8.GetBytes(place.ToString()));
        return Convert.ToHexStringLower(hash.AsSpan(0, 4));
    }
}
