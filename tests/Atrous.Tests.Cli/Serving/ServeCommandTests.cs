using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Exporting;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Serving;

/// <summary>`atrous serve` as a process: signals, exit codes, sentences.</summary>
public sealed class ServeCommandTests(GeneratedModel model)
{
    [Fact]
    public async Task SIGTERM_flips_readiness_serves_on_for_the_delay_and_exits_with_0()
    {
        using var served = await Served.Start("--model", $"m={model.Path}", "--port", "0", "--drain-delay", "2");
        await served.Ready();
        served.Signal(15);
        HttpStatusCode ready = HttpStatusCode.OK;
        for (long start = Stopwatch.GetTimestamp(); ready == HttpStatusCode.OK
            && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1.5);)
            ready = (await served.Client.GetAsync("readyz")).StatusCode;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready);
        Assert.Equal(HttpStatusCode.OK, (await served.Client.GetAsync("livez")).StatusCode);
        Assert.Equal(0, await served.Exit());
    }

    /// <summary>All of these models together take minutes, and the drain time is longer than the test waits.</summary>
    [Fact]
    public async Task SIGTERM_ends_a_load_that_is_under_way()
    {
        using var place = new Workplace();
        string path = place["large.safetensors"];
        SparseCheckpoint.Write(path, NamedWeights.Manifest("vainf_v3plus_r101"));
        string[] models = [.. Enumerable.Range(0, 60).SelectMany(i => new[] { "--model", $"m{i}={path}" })];
        using Served served = Served.Begin(["--port", "0", "--drain-delay", "0", "--drain", "600", .. models]);
        await served.Opens(path);
        served.Signal(15);
        Assert.Equal(0, await served.Exit());
        Assert.DoesNotContain(served.Log, line => line.Contains("serving on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_signal_exits_at_once()
    {
        using var served = await Served.Start("--model", $"m={model.Path}", "--port", "0", "--drain-delay", "600");
        await served.Ready();
        served.Signal(15);
        while ((await served.Client.GetAsync("readyz")).StatusCode == HttpStatusCode.OK)
            await Task.Delay(10);
        served.Signal(15);
        Assert.Equal(143, await served.Exit());
    }

    [Fact]
    public async Task SIGHUP_loads_the_model_anew_and_a_broken_one_leaves_the_old()
    {
        using var place = new Workplace();
        string path = place.Add("m.safetensors", await File.ReadAllBytesAsync(model.Path));
        using var served = await Served.Start("--model", path, "--port", "0", "--drain-delay", "0", "--log", "json");
        await served.Ready();
        served.Signal(1);
        await served.Says("load 2");
        File.Move(place.Add("broken", "this is no checkpoint"), path, overwrite: true);
        served.Signal(1);
        await served.Says("goes on as it was");
        Assert.Equal(HttpStatusCode.OK, (await served.Client.GetAsync("readyz")).StatusCode);
        served.Signal(2);
        Assert.Equal(0, await served.Exit());
    }

    [Fact]
    public async Task The_model_in_the_box_is_served_where_none_is_named()
    {
        using var served = await Served.Start("--port", "0", "--drain-delay", "0");
        await served.Ready();
        Assert.Contains(
            "model=\"atrous-street\"", await served.Client.GetStringAsync("metrics"), StringComparison.Ordinal);
        served.Signal(15);
        Assert.Equal(0, await served.Exit());
    }

    [Fact]
    public void What_cannot_be_served_is_one_sentence_and_the_right_exit_code()
    {
        Tool.Run("serve", "--port", "0", "--model", "no such file.pth").Refuses(3, "no such file.pth");
        Tool.Run("serve", "--port", "0", "--model", "m=no-such-model").Refuses(3, "no-such-model");
        Tool.Run("serve", "--port", "0", "--model", $"a={model.Path}", "--model", $"a={model.Path}")
            .Refuses(2, "a is given twice");
        Tool.Run("serve", "--port", "0", "--model", $"bad name={model.Path}").Refuses(2, "bad name");
        Tool.Run("serve", "--port", "0", "--model", model.Path, "--host", "nowhere").Refuses(2, "'nowhere'");
        Tool.Run("serve", "--port", "x", "--model", model.Path).Refuses(2, "--port takes");
        Tool.Run("serve", "--log", "xml", "--model", model.Path).Refuses(2, "--log takes");
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        Tool.Run("serve", "--port", $"{((IPEndPoint)taken.LocalEndpoint).Port}", "--model", model.Path)
            .Refuses(1, "in use", "--port");
    }
}
