using System.Globalization;

namespace Atrous.Tests.Serving.Soak;

/// <summary>What a process holds at one moment, as Linux tells it.</summary>
/// <param name="Seconds">Since the traffic began.</param>
/// <param name="ResidentKiB">Memory.</param>
/// <param name="PeakKiB">The most that it ever was.</param>
/// <param name="Threads">Of the process.</param>
/// <param name="Handles">Open files and sockets.</param>
/// <param name="CpuSeconds">Since the process began.</param>
internal sealed record ServerSample(
    double Seconds, long ResidentKiB, long PeakKiB, int Threads, int Handles, double CpuSeconds)
{
    /// <summary>Of sysconf(_SC_CLK_TCK), the same on every Linux.</summary>
    private const double TicksPerSecond = 100;

    public static ServerSample Take(int process, TimeSpan since)
    {
        string[] status = File.ReadAllLines($"/proc/{process}/status");
        string stat = File.ReadAllText($"/proc/{process}/stat");
        // Behind the name, which may have spaces: utime and stime are fields 14 and 15 of all, 12 and 13 from there.
        string[] times = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return new ServerSample(
            Math.Round(since.TotalSeconds, 1), Number("VmRSS:"), Number("VmHWM:"), (int)Number("Threads:"),
            Directory.GetFileSystemEntries($"/proc/{process}/fd").Length,
                (long.Parse(times[11]) + long.Parse(times[12])) / TicksPerSecond);

        long Number(string name) => long.Parse(
            status.Single(line => line.StartsWith(name, StringComparison.Ordinal))
            .Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    /// <summary>The middle of some samples, of a part of the run.</summary>
    public static double Median(
        IEnumerable<ServerSample> samples, double from, double to, Func<ServerSample, double> value)
    {
        double[] sorted =
            [.. samples.Where(sample => sample.Seconds >= from && sample.Seconds <= to).Select(value).Order()];
        Assert.True(sorted.Length >= 5, $"Only {sorted.Length} samples from {from} s to {to} s.");
        return sorted[sorted.Length / 2];
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Seconds:0.0}\t{ResidentKiB}\t{PeakKiB}\t{Threads}\t{Handles}\t{CpuSeconds:0.00}");
}
