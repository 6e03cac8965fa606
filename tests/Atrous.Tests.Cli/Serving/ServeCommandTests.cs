using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Exporting;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Serving;

/// <summary>`atrous serve` as a process: signals, exit codes, sentences.</summary>
public sealed class ServeCommandTests(GeneratedModel model)
{
    [Fact]
    public async Task SIGTERM_exits_with_0_after_the_delay()
    {
        using var served = await Served.Start("--model", $"m={model.Path}", "--port", "0", "--drain-delay", "2");
        await served.Ready();
        long start = Stopwatch.GetTimestamp();
        served.Signal(15);
        Assert.Equal(0, await served.Exit());
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromSeconds(2), "It did not serve on for the delay.");
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
    public async Task SIGTERM_flips_readiness_serves_on_and_a_second_signal_exits_at_once()
    {
        using var served = await Served.Start("--model", $"m={model.Path}", "--port", "0", "--drain-delay", "600");
        await served.Ready();
        served.Signal(15);
        while ((await served.Client.GetAsync("readyz")).StatusCode == HttpStatusCode.OK)
            await Task.Delay(10);
        Assert.Equal(HttpStatusCode.OK, (await served.Client.GetAsync("livez")).StatusCode);
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

    /// <summary>Each by what it alone says, and by what all say.</summary>
    [Fact]
    public async Task Settings_come_from_a_file_the_environment_and_options_in_this_order()
    {
        using var place = new Workplace();
        string file = place.Add("serve.json", $$"""
            {
              // As ASP.NET's own files, it may have remarks.
              "Atrous": {
                "MaxPixels": 1000001,
                "Models": {
                  "filed": { "Path": {{JsonSerializer.Serialize(model.Path)}}, "Batching": { "QueueLimit": 7, "MaxBatch": 2 } }
                },
                "Server": { "Port": 0, "DrainDelay": "00:00:00", "LogLevel": "Debug", "Limits": { "MaxBodyBytes": 1001 } }
              }
            }
            """);
        KeyValuePair<string, string>[] environment =
        [
            KeyValuePair.Create("ATROUS__SERVER__LIMITS__MAXBODYBYTES", "2002"),
            KeyValuePair.Create("ATROUS__MODELS__FILED__BATCHING__MAXBATCH", "3"),
        ];
        Assert.Equal(("filed", 1001, 1000001), await LimitsOf([], "--config", file));
        Assert.Equal(("filed", 2002, 1000001), await LimitsOf(environment, "--config", file));
        Assert.Equal(
            ("filed", 3 << 20, 4_000_000),
            await LimitsOf(environment, "--config", file, "--max-body", "3", "--max-pixels", "4"));
        // Models that are named take the place of all others.
        Assert.Equal(
            ("named", 2002, 1000001), await LimitsOf(environment, "--config", file, "--model", $"named={model.Path}"));

        static async Task<(string Model, int Body, int Pixels)> LimitsOf(
            IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
        {
            using Served served = await Served.Start(environment, arguments);
            JsonElement models = JsonDocument.Parse(await served.Client.GetStringAsync("v1/models")).RootElement;
            JsonElement limits = models.GetProperty("limits");
            served.Signal(15);
            Assert.Equal(0, await served.Exit());
            return (
                Assert.Single(models.GetProperty("models").EnumerateArray()).GetProperty("name").GetString()!,
                limits.GetProperty("bodyBytes").GetInt32(), limits.GetProperty("pixels").GetInt32());
        }
    }

    /// <summary>A model that was not pulled is no fault of those that are served.</summary>
    [Fact]
    public async Task Models_that_others_take_the_place_of_need_not_be_there()
    {
        using var place = new Workplace();
        string file = place.Add(
            "serve.json",
            """{"Atrous":{"Models":{"gone":{"Path":"no-such-model"}},"Server":{"DrainDelay":"0:0:0"}}}""");
        Tool.Run("serve", "--port", "0", "--config", file).Refuses(3, "no model of that name");
        using Served served = await Served.Start("--port", "0", "--config", file, "--model", $"m={model.Path}");
        served.Signal(15);
        Assert.Equal(0, await served.Exit());
        place.Add("serve.json", """{"Atrous":{"Models":{"gone":{"Pth":"no-such-model"}}}}""");
        Tool.Run("serve", "--port", "0", "--config", file, "--model", $"m={model.Path}")
            .Refuses(2, "did you mean Path?");
    }

    /// <summary>Each switch by its name: another one of the command line leaves those of the file in force.</summary>
    [Fact]
    public void Switches_of_the_configuration_stay_beside_those_of_options()
    {
        using var place = new Workplace();
        string file = place.Add("serve.json", $$"""
            {"Atrous": {"Models": {"m": {
              "Path": {{JsonSerializer.Serialize(model.Path)}},
              "Segmenter": { "Switches": { "filed": "1" } }
            } } } }
            """);
        Tool.Run("serve", "--port", "0", "--config", file, "--option", "given=4").Refuses(2, "no switch 'filed'");
    }

    [Fact]
    public void No_setting_is_passed_by()
    {
        using var place = new Workplace();
        foreach ((string text, string[] words) in new (string, string[])[]
        {
            ("""{"Atrous":{"Server":{"Prot":1}}}""", ["Atrous:Server:Prot", "did you mean Port?"]),
            ("""{"Atrous":{"Modles":{}, "Modles":1}}""", ["no JSON of settings"]),
            ("""{"Atrous":{"DefaultModle":"a"}}""", ["DefaultModle", "did you mean DefaultModel?"]),
            ("""{"Atros":{}}""", ["serve.json", "there is no section Atros; did you mean Atrous?"]),
            ("""{"Logging":{"x":"1"}}""", ["all settings are in the section Atrous"]),
            ("""{"Atrous":""", ["serve.json", "no JSON of settings"]),
            ("""{"Atrous":{"DefaultModel":"b"}}""", ["'b' is not among the models (atrous-street)"]),
        })
            Tool.Run("serve", "--port", "0", "--config", place.Add("serve.json", text)).Refuses(2, words);
        Tool.Run("serve", "--config", place["none.json"]).Refuses(2, "there is no such file", "--config");
        Tool.Finish(
            Tool.Start(place.Folder, [KeyValuePair.Create("ATROUS__SERVER__PORTT", "1")], "serve"), [])
            .Refuses(2, "There is no setting Atrous:Server:PORTT; did you mean Port?");
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
        Tool.Run("serve", "--port", "0", "--tls-client-ca", "ca.pem").Refuses(2, "Clients show certificates by TLS alone");
        Tool.Run("serve", "--port", "0", "--tls-client-for", "admin").Refuses(2, "--tls-client-ca; give both");
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        Tool.Run("serve", "--port", $"{((IPEndPoint)taken.LocalEndpoint).Port}", "--model", model.Path)
            .Refuses(1, "in use", "--port");
    }
}
