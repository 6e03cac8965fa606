using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Hosting;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving;

/// <summary>The server in this process: health, metrics, limits, draining.</summary>
public sealed partial class ServerTests(GeneratedModel model)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task It_is_live_at_once_and_ready_when_the_models_are_warm()
    {
        await using var server = AtrousServer.Create(Options());
        await server.StartAsync();
        using var client = new HttpClient { BaseAddress = server.Address };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("livez")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("healthz")).StatusCode);
        await server.Models.WhenLoadedAsync().WaitAsync(Patience);
        HttpResponseMessage ready = await client.GetAsync("readyz");
        Assert.Equal((HttpStatusCode.OK, "ok\n"), (ready.StatusCode, await ready.Content.ReadAsStringAsync()));
        await server.Models.UnloadAsync("m");
        ready = await client.GetAsync("readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("m is unavailable (it is unloaded)", await ready.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_keeps_it_from_being_ready_and_ends_a_run()
    {
        ServerOptions options = Options() with { Models = atrous => atrous.AddModel("m", "no such file.pth") };
        await using (var server = AtrousServer.Create(options))
        {
            await server.StartAsync();
            await Assert.ThrowsAsync<ModelException>(() => server.Models.WhenLoadedAsync().WaitAsync(Patience));
            using var client = new HttpClient { BaseAddress = server.Address };
            HttpResponseMessage ready = await client.GetAsync("readyz");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.Contains("no such file.pth", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("livez")).StatusCode);
        }
        await using var another = AtrousServer.Create(options);
        await Assert.ThrowsAsync<ModelException>(() => another.RunAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task What_is_not_there_is_a_problem_or_an_error_in_the_protocol_s_form()
    {
        await using var server = AtrousServer.Create(Options());
        await server.StartAsync();
        using var client = new HttpClient { BaseAddress = server.Address };
        HttpResponseMessage missing = await client.GetAsync("v1/nothing");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal("application/problem+json", missing.Content.Headers.ContentType?.MediaType);
        JsonElement problem = JsonDocument.Parse(await missing.Content.ReadAsStreamAsync()).RootElement;
        Assert.Equal(404, problem.GetProperty("status").GetInt32());
        Assert.Contains("/v1/nothing", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        missing = await client.GetAsync("v2/nothing");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Contains(
            "/v2/nothing", JsonDocument.Parse(await missing.Content.ReadAsStreamAsync()).RootElement.GetProperty(
                "error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_trace_of_the_caller_is_gone_on_with_and_echoed()
    {
        await using var server = AtrousServer.Create(Options());
        await server.StartAsync();
        using var client = new HttpClient { BaseAddress = server.Address };
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        using var request = new HttpRequestMessage(HttpMethod.Get, "livez");
        request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        string echoed = Assert.Single((await client.SendAsync(request)).Headers.GetValues("traceparent"));
        Assert.StartsWith($"00-{Trace}-", echoed, StringComparison.Ordinal);
        Assert.DoesNotContain("00f067aa0ba902b7", echoed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_are_well_formed_and_count_what_happened()
    {
        await using var server = AtrousServer.Create(Options());
        await server.StartAsync();
        await server.Models.WhenLoadedAsync().WaitAsync(Patience);
        (await server.Models.Default.SegmentAsync(Workplace.Photo())).Dispose();
        await Assert.ThrowsAsync<ImageException>(() => server.Models.Default.SegmentAsync(new byte[4]));
        using var client = new HttpClient { BaseAddress = server.Address };
        HttpResponseMessage response = await client.GetAsync("metrics");
        Assert.StartsWith("text/plain", response.Content.Headers.ContentType?.MediaType, StringComparison.Ordinal);
        string text = await response.Content.ReadAsStringAsync();
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches(MetricLine(), line));
        Assert.Single(lines, line => line.StartsWith("atrous_requests_total{", StringComparison.Ordinal)
            && line.Contains("model=\"m\"", StringComparison.Ordinal)
            && line.Contains("outcome=\"ok\"", StringComparison.Ordinal) && Value(line) == 1);
        Assert.Single(lines, line => line.StartsWith("atrous_requests_total{", StringComparison.Ordinal)
            && line.Contains("outcome=\"bad_input\"", StringComparison.Ordinal) && Value(line) == 1);
        foreach (string stage in new[] { "queue", "decode", "preprocess", "network" })
        {
            string[] buckets =
                [.. lines.Where(
                    line => line.StartsWith("atrous_stage_duration_seconds_bucket{", StringComparison.Ordinal)
                && line.Contains($"stage=\"{stage}\"", StringComparison.Ordinal))];
            Assert.True(buckets.Length > 10, stage);
            Assert.Equal(buckets.Select(Value).Order(), buckets.Select(Value));
            Assert.Contains("le=\"+Inf\"", buckets[^1], StringComparison.Ordinal);
            Assert.Equal(1, Value(buckets[^1]));
        }
        Assert.All(
            ["atrous_queue_length{", "atrous_queue_limit{", "atrous_model_ready{", "atrous_batch_size_bucket{",
            "atrous_memory_resident_bytes", "atrous_process_threads"],
            name => Assert.Contains(lines, line => line.StartsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var server = AtrousServer.Create(Options() with { Port = port });
        ListenException e = await Assert.ThrowsAsync<ListenException>(() => server.StartAsync());
        Assert.Contains($"Port {port} of 127.0.0.1 is in use", e.Message, StringComparison.Ordinal);
        await using var elsewhere = AtrousServer.Create(Options() with { Host = "192.0.2.7" });
        e = await Assert.ThrowsAsync<ListenException>(() => elsewhere.StartAsync());
        Assert.Contains("no such address", e.Message, StringComparison.Ordinal);
        Assert.Throws<UnavailableException>(() => AtrousServer.Create(Options() with { Host = "example" }));
    }

    [Fact]
    public async Task Draining_flips_readiness_serves_on_and_then_ends()
    {
        await using var server = AtrousServer.Create(Options() with { DrainDelay = TimeSpan.FromHours(1) });
        await server.StartAsync();
        await server.Models.WhenLoadedAsync().WaitAsync(Patience);
        using var client = new HttpClient { BaseAddress = server.Address };
        using var hurry = new CancellationTokenSource();
        Task drained = server.DrainAsync(hurry.Token);
        HttpResponseMessage ready = await client.GetAsync("readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("the server is shutting down\n", await ready.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("livez")).StatusCode);
        (await server.Models.Default.SegmentAsync(Workplace.Photo())).Dispose();
        Assert.False(drained.IsCompleted);
        await hurry.CancelAsync();
        await drained.WaitAsync(Patience);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("livez"));
    }

    [Fact]
    public async Task Headers_that_never_end_cost_a_connection_for_a_moment_only()
    {
        await using var server = AtrousServer.Create(
            Options() with { Limits = new ServerLimits { HeaderTimeout = TimeSpan.FromSeconds(1) } });
        await server.StartAsync();
        using var slow = new TcpClient();
        await slow.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        await slow.GetStream().WriteAsync("GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "u8.ToArray());
        using var reader = new StreamReader(slow.GetStream());
        string answer = await reader.ReadToEndAsync().WaitAsync(Patience);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = server.Address };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("livez")).StatusCode);
    }

    /// <summary>Found by the soak: the exporter waits for its readers.</summary>
    [Fact]
    public async Task A_scraper_that_reads_nothing_keeps_no_other_from_the_metrics()
    {
        // It may go on like this for as long as it likes, so that nothing but the exporter is tested.
        await using var server =
            AtrousServer.Create(Options() with { Limits = new ServerLimits { MinBytesPerSecond = 1 } });
        await server.StartAsync();
        using var deaf = new TcpClient { ReceiveBufferSize = 4096 };
        await deaf.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        // Many times what the buffers between the two hold.
        await deaf.GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes(
                    string.Concat(Enumerable.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 2000))));
        await Task.Delay(TimeSpan.FromSeconds(1));
        using var client = new HttpClient { BaseAddress = server.Address };
        for (int i = 0; i < 3; i++)
            Assert.Contains("atrous_model_ready", await client.GetStringAsync("metrics")
                .WaitAsync(TimeSpan.FromSeconds(20)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("identity")]
    public async Task A_body_is_read_as_it_was_before_compression(string encoding)
    {
        byte[] bytes = new byte[300_000];
        new Random(1).NextBytes(bytes);
        (HttpContext context, BodyBudget budget) = Request(Compress(bytes, encoding), encoding, new ServerLimits());
        using (BodyLease body = await RequestBody.ReadAsync(context, default))
        {
            Assert.Equal(bytes, body.Memory.ToArray());
            Assert.True(budget.Held >= bytes.Length);
        }
        Assert.Equal(0, budget.Held);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_decompression_bomb_is_refused_before_it_is_large(string encoding)
    {
        byte[] bomb = Compress(new byte[64 << 20], encoding);
        Assert.True(bomb.Length < 1 << 20);
        // A body that held more than this would be refused by 503.
        var limits = new ServerLimits { MaxBodyBytes = 1 << 20, MaxBufferedBytes = 4 << 20 };
        (HttpContext context, BodyBudget budget) = Request(bomb, encoding, limits);
        BadHttpRequestException e =
            await Assert.ThrowsAsync<BadHttpRequestException>(() => RequestBody.ReadAsync(context, default));
        Assert.Equal(413, e.StatusCode);
        Assert.InRange(context.Request.Body.Position, 1, bomb.Length / 4);
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_is_refused_by_kind()
    {
        byte[] bytes = new byte[100_000];
        Assert.Equal(413, await Refused(bytes, "", new ServerLimits { MaxBodyBytes = 99_999 }));
        Assert.Equal(415, await Refused(bytes, "br", new ServerLimits()));
        Assert.Equal(415, await Refused(bytes, "gzip, gzip", new ServerLimits()));
        Assert.Equal(400, await Refused(bytes, "gzip", new ServerLimits()));
        Assert.Equal(503, await Refused(bytes, "", new ServerLimits { MaxBufferedBytes = 80_000 }));

        static async Task<int> Refused(byte[] body, string encoding, ServerLimits limits)
        {
            (HttpContext context, BodyBudget budget) = Request(body, encoding, limits);
            int status =
                (await Assert.ThrowsAsync<BadHttpRequestException>(
                    () => RequestBody.ReadAsync(context, default))).StatusCode;
            Assert.Equal(0, budget.Held);
            return status;
        }
    }

    private static (HttpContext Context, BodyBudget Budget) Request(byte[] body, string encoding, ServerLimits limits)
    {
        var options = new ServerOptions { Models = _ => { }, Limits = limits };
        var budget = new BodyBudget(options);
        var services = new ServiceCollection().AddSingleton(options).AddSingleton(budget).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Request.Body = new MemoryStream(body);
        context.Request.Headers.ContentEncoding = encoding;
        return (context, budget);
    }

    private static byte[] Compress(byte[] bytes, string encoding)
    {
        var compressed = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "gzip" => new GZipStream(compressed, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(compressed, CompressionLevel.Fastest),
            _ => compressed,
        })
        {
            stream.Write(bytes);
        }
        return compressed.ToArray();
    }

    private static double Value(string line) =>
        double.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private ServerOptions Options() => new()
    {
        Port = 0,
        DrainDelay = TimeSpan.Zero,
        LogLevel = LogLevel.Error,
        Models = options => options.AddModel("m", model.Path),
    };

    [GeneratedRegex(@"^(# (TYPE|HELP|UNIT|EOF)\b.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*=""([^""\\\n]|\\[\\n""])*"",?)*\})? [-+0-9.eEInfNa]+( [0-9]+)?)$")]
    private static partial Regex MetricLine();
}
