using System.Diagnostics;
using System.Net;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Serving;

/// <summary>A running `atrous serve`.</summary>
internal sealed class Served : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly List<string> _log = [];

    private Served(Process process) => _process = process;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>Where it serves gRPC; null for nowhere.</summary>
    public Uri? Grpc { get; private set; }

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>What it has written to standard error.</summary>
    public string[] Log
    {
        get
        {
            lock (_log)
                return [.. _log];
        }
    }

    public static Task<Served> Start(params string[] arguments) => Start([], arguments);

    /// <summary>With variables of the environment.</summary>
    public static async Task<Served> Start(
        IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
    {
        Served served = Begin(environment, arguments);
        string listening = await served.Says("serving on ");
        Uri[] addresses = [.. listening.Split("on ").Where(part => part.StartsWith("http", StringComparison.Ordinal))
            .Select(part => new Uri(part.Split(',')[0].Trim()))];
        served.Client = new HttpClient { BaseAddress = addresses[0] };
        served.Grpc = addresses.ElementAtOrDefault(1);
        return served;
    }

    /// <summary>One whose models are not loaded yet.</summary>
    public static Served Begin(params string[] arguments) => Begin([], arguments);

    private static Served Begin(IEnumerable<KeyValuePair<string, string>> environment, string[] arguments)
    {
        var served = new Served(Tool.Start(Repository.Root, environment, ["serve", .. arguments]));
        served._process.ErrorDataReceived += (_, line) =>
        {
            lock (served._log)
                served._log.Add(line.Data ?? "");
        };
        served._process.BeginErrorReadLine();
        return served;
    }

    /// <summary>Waits for a line of the log that has these words.</summary>
    public async Task<string> Says(string words)
    {
        for (long start = Stopwatch.GetTimestamp(); ; await Task.Delay(10))
        {
            lock (_log)
            {
                if (_log.Find(line => line.Contains(words, StringComparison.Ordinal)) is { } found)
                    return found;
                if (_process.HasExited || Stopwatch.GetElapsedTime(start) > Patience)
                    Assert.Fail($"'{words}' was not said:\n{string.Join('\n', _log)}");
            }
        }
    }

    /// <summary>Waits until the process has a file open.</summary>
    public async Task Opens(string path)
    {
        for (long start = Stopwatch.GetTimestamp(); !OpenFiles().Contains(path); await Task.Delay(5))
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience && !_process.HasExited, "It was never opened.");
    }

    public async Task Ready()
    {
        for (long start = Stopwatch.GetTimestamp(); (
            await Client.GetAsync("readyz")).StatusCode != HttpStatusCode.OK; await Task.Delay(20))
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, "It was never ready.");
    }

    public void Signal(int signal) => Signals.Send(_process.Id, signal);

    public async Task<int> Exit()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        Client?.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private IEnumerable<string?> OpenFiles()
    {
        try
        {
            return [.. Directory.GetFiles($"/proc/{Id}/fd").Select(file => new FileInfo(file).LinkTarget)];
        }
        catch (IOException)
        {
            return []; // one was closed meanwhile
        }
    }
}
