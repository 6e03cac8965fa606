using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Atrous.Bench;

/// <summary>A process that makes one mask and ends.</summary>
/// <param name="Milliseconds">From its start to what it prints after the mask.</param>
/// <param name="PeakMiB">The most memory that was resident at one time, in MiB.</param>
internal sealed record FreshStart(double Milliseconds, double PeakMiB)
{
    /// <summary>The tool itself, on a picture that lies there as a file.</summary>
    public static FreshStart OfAtrous(string tool, string model, string picture, (int Height, int Width) size,
        int threads, string precision) => Measure(
        () => Peer.Start(tool,
        [
            "bench", Path.GetFullPath(model), "--device", "cpu", "--image", Path.GetFullPath(picture),
            "--size", string.Create(CultureInfo.InvariantCulture, $"{size.Height}x{size.Width}"),
            "--threads", threads.ToString(CultureInfo.InvariantCulture), "--precision", precision, "--runs", "0",
                "--warm-up", "0", "--json",
        ]),
        json => json.GetProperty("peakResidentBytes").GetInt64() / (double)(1 << 20));

    /// <summary>Starts a process and waits for its one JSON document.</summary>
    public static FreshStart Measure(Func<Process> start, Func<JsonElement, double> peakMiB)
    {
        long began = Stopwatch.GetTimestamp();
        using Process process = start();
        string output = process.StandardOutput.ReadToEnd();
        double milliseconds = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new BenchException($"{process.StartInfo.FileName} ended with {process.ExitCode}.");
        using JsonDocument document = JsonDocument.Parse(output);
        return new FreshStart(milliseconds, peakMiB(document.RootElement));
    }

    /// <summary>The medians of some.</summary>
    public static FreshStart Median(IReadOnlyList<FreshStart> starts) => new(
        Medians.Of(starts.Select(start => start.Milliseconds)), Medians.Of(starts.Select(start => start.PeakMiB)));
}
