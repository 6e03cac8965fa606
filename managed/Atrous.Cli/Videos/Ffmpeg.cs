using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Atrous.Cli.Videos;

/// <summary>
/// The programs ffmpeg and ffprobe. FFMpegCore, which starts them as well, gives piped frames a constant rate; here
/// every frame keeps its own time.
/// </summary>
internal static partial class Ffmpeg
{
    /// <summary>
    /// Of its log: errors, and what filters say of each frame. It asks nothing and shows no progress.
    /// </summary>
    public static readonly string[] Quietly = ["-hide_banner", "-nostdin", "-nostats"];

    /// <summary>Its exit code where SIGINT or SIGTERM ended it, which it does in an orderly way.</summary>
    public const int Signalled = 255;

    /// <summary>The exit code of a process that SIGHUP ended.</summary>
    public const int HungUp = 129;

    private static readonly Lazy<bool> KnowsFpsMode = new(ReadVersion);

    /// <summary>Frames keep their times: none is doubled or dropped for the sake of a constant rate.</summary>
    public static string[] KeepTimes => KnowsFpsMode.Value
        ? ["-fps_mode", "passthrough"]
        : ["-vsync", "passthrough"];

    /// <summary>Starts one of them with its output or its input, and its errors, connected to this process.</summary>
    /// <exception cref="CommandException">It is not installed.</exception>
    public static Process Start(string program, IEnumerable<string> arguments, bool input = false, bool output = false)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = input,
            RedirectStandardOutput = output,
            RedirectStandardError = true,
        };
        // Its words are recognised in English.
        info.Environment["LC_ALL"] = "C";
        info.Environment["AV_LOG_FORCE_NOCOLOR"] = "1";
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw new CommandException(
                ExitCode.Usage,
                $"videos are read and written by the program {program}, which cannot be started "
                + $"({e.NativeErrorCode switch { 2 => "it is not installed", _ => e.Message.TrimEnd('.') }}); "
                + "install the package ffmpeg (apt-get install ffmpeg).", e);
        }
    }

    /// <summary>
    /// A local file as an input that is a file whatever its name, and leads to no address. A playlist can still lead
    /// to other files, and is refused by what the log calls it.
    /// </summary>
    public static string[] InputFile(string path) =>
        ["-protocol_whitelist", "file,crypto,data", "-i", $"file:{path}"];

    /// <summary>
    /// The error that a line of the log, with levels, tells of; null for none. Names of files and titles stand in lines
    /// of other levels, and can have the same words in them.
    /// </summary>
    public static string? ErrorOf(string line) =>
        Error().Match(line) is { Success: true } match ? match.Groups["text"].Value.Trim() : null;

    /// <summary>The option for keeping times has a new name since version 5.1.</summary>
    private static bool ReadVersion()
    {
        using Process process = Start("ffmpeg", ["-version"], output: true);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        error.Wait();
        // One that was built from a repository has a date instead of a number, and is taken for a new one.
        Match match = Version().Match(text);
        return !match.Success
            || (Number(match.Groups[1].Value), Number(match.Groups[2].Value)).CompareTo((5, 1)) >= 0;

        static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^(\[[^\[\]]* @ \w+\] )*\[(error|fatal|panic)\] (?<text>.*)")]
    private static partial Regex Error();

    [GeneratedRegex(@"^ffmpeg version n?(\d{1,3})\.(\d{1,3})")]
    private static partial Regex Version();
}
