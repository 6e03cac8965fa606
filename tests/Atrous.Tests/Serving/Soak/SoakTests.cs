using System.Diagnostics;
using System.Globalization;
using System.Net;
using Atrous.Tests.Cli.Serving;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Serving.Soak;

/// <summary>
/// Good and hostile traffic over HTTP and gRPC for a while, on loopback: ATROUS_SOAK_SECONDS (5 unless set;
/// bench/load/soak.sh takes 300) at ATROUS_SOAK_RATE requests a second (as fast as it goes unless set). Samples of the
/// server's process are written to artifacts/soak.
/// </summary>
public sealed class SoakTests(GeneratedModel model)
{
    private const int WarmUpRounds = 2;

    /// <summary>
    /// Growth of the median resident memory that is allowed, from the run's second quarter to its last.
    /// </summary>
    private const double Flat = 1.05;

    /// <summary>The seconds below which a run only looks for faults.</summary>
    private const double Short = 120;

    [Fact]
    public async Task The_server_stays_as_it_was()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A process's memory, threads and handles are read from /proc.");
        double seconds = Setting("ATROUS_SOAK_SECONDS", 5), rate = Setting("ATROUS_SOAK_RATE", 0);
        using Served served = await Served.Start(
            "--model", $"street={model.Path}", "--model", $"spare={model.Path}", "--port", "0", "--grpc-port", "0",
            "--admin", "--drain-delay", "0",
            "--max-body", "8", "--max-pixels", "1", "--log-level", "error");
        await served.Ready();
        var traffic = new Traffic(served.Client.BaseAddress!, served.Grpc!, model.Path, rate);
        for (int i = 0; i < WarmUpRounds; i++)
            await traffic.Round(new Random(i));
        ServerSample rest = ServerSample.Take(served.Id, TimeSpan.Zero);

        List<ServerSample> samples = await Watch(served.Id, traffic, seconds);
        await AtRest(served.Id, rest);
        await traffic.Round(new Random(99));
        Assert.True(
            traffic.Faults.IsEmpty, $"{traffic.Faults.Count} faults:\n{string.Join('\n', traffic.Faults.Take(20))}");
        Assert.Equal(HttpStatusCode.OK, (await served.Client.GetAsync("livez")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await served.Client.GetAsync("readyz")).StatusCode);
        served.Signal(15);
        Assert.Equal(0, await served.Exit());
        string[] said = [.. served.Log.Where(line => line.Length > 0)];
        Assert.True(said.Length == 1, string.Join('\n', said.Take(20)));
        // How much memory and how many threads a server has beside other work is noise: bench/load/soak.sh judges it.
        if (seconds < Short)
            return;

        double memory = Median(seconds / 4, sample => sample.ResidentKiB),
            lastMemory = Median(seconds * 3 / 4, sample => sample.ResidentKiB);
        Assert.True(lastMemory <= memory * Flat, $"Resident memory went from {memory} to {lastMemory} KiB.");
        // A reload has two models at a time; a bomb that went off would show here.
        Assert.True(samples[^1].PeakKiB <= 2 * memory,
            $"Resident memory was {samples[^1].PeakKiB} KiB at its peak, usually {memory}.");
        AssertNoGrowth("Threads", sample => sample.Threads);
        AssertNoGrowth("Handles", sample => sample.Handles);

        double Median(double from, Func<ServerSample, double> value) =>
            ServerSample.Median(samples, from, from + seconds / 4, value);

        void AssertNoGrowth(string name, Func<ServerSample, double> value)
        {
            // What is open at one moment goes up and down with the clients; a leak goes up only.
            double before = Median(seconds / 4, value), after = Median(seconds * 3 / 4, value);
            Assert.True(after <= before + 4, $"{name} went from {before} to {after}.");
        }
    }

    /// <summary>Samples the server while the clients are at it.</summary>
    private static async Task<List<ServerSample>> Watch(int process, Traffic traffic, double seconds)
    {
        string path =
            Repository.PathOf(string.Create(CultureInfo.InvariantCulture, $"artifacts/soak/{seconds:0}s.tsv"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var log = new StreamWriter(path) { AutoFlush = true };
        await log.WriteLineAsync(
            "seconds\tresident_kib\tpeak_kib\tthreads\thandles\tcpu_seconds\tgood\thostile\tfaults");
        using var stop = new CancellationTokenSource();
        Task clients = traffic.Run(stop.Token);
        var samples = new List<ServerSample>();
        int told = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < seconds
            && !clients.IsCompleted;)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(seconds / 100, 0.2, 10)));
            samples.Add(ServerSample.Take(process, Stopwatch.GetElapsedTime(start)));
            await log.WriteLineAsync($"{samples[^1]}\t{traffic.Good}\t{traffic.Hostile}\t{traffic.Faults.Count}");
            for (; told < traffic.Faults.Count; told++)
                await log.WriteLineAsync($"# {traffic.Faults.ElementAt(told).ReplaceLineEndings(" ")}");
        }
        await stop.CancelAsync();
        await clients;
        return samples;
    }

    /// <summary>When the clients are gone their connections are gone too.</summary>
    private static async Task AtRest(int process, ServerSample before)
    {
        const int Patience = 30;
        for (long start = Stopwatch.GetTimestamp(); ; await Task.Delay(100))
        {
            ServerSample now = ServerSample.Take(process, Stopwatch.GetElapsedTime(start));
            if (now.Handles <= before.Handles + 2)
                return;
            Assert.True(now.Seconds < Patience, $"{before.Handles} handles before, {now.Handles} at rest again.");
        }
    }

    private static double Setting(string name, double otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
        ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
