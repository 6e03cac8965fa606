using System.Collections.Concurrent;
using System.Text;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving.OpenInference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving.Running;

/// <summary>Metrics, traces and logs at a collector of OpenTelemetry.</summary>
public sealed class CollectorTests(GeneratedModel model)
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_collector_gets_all_three_by_either_protocol(bool grpc)
    {
        await using Stub collector = await Stub.StartAsync(grpc);
        string name = grpc ? "grpc" : "http/protobuf";
        AtrousServer server = AtrousServer.Create(Options() with
        {
            OtlpEndpoint = collector.Address,
            OtlpProtocol = name,
            LogLevel = LogLevel.Information,
        });
        await using (server)
        {
            await server.StartAsync(Token);
            await server.Models.WhenLoadedAsync(Token);
            using var client = new HttpClient { BaseAddress = server.Address };
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/segment")
            {
                Content = new ByteArrayContent(Workplace.Photo()),
            };
            request.Headers.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
            (await client.SendAsync(request, Token)).EnsureSuccessStatusCode();
            (await client.GetAsync("livez", Token)).EnsureSuccessStatusCode();
            // Beside it, not instead.
            Assert.Contains("atrous_requests_total", await client.GetStringAsync("metrics", Token));
        }
        string traces = collector.Got("trace"), metrics = collector.Got("metrics"), logs = collector.Got("logs");
        foreach (string span in new[] { "segment", "queue", "decode", "network", "encode", "POST /v1/segment" })
            Assert.Contains(span, traces);
        Assert.Contains(Encoding.Latin1.GetString(Convert.FromHexString(Trace)), traces);
        Assert.DoesNotContain("livez", traces);
        Assert.Contains("atrous.requests", metrics);
        Assert.Contains("atrous.stage.duration", metrics);
        Assert.Contains("POST /v1/segment 200", logs);
        Assert.All(new[] { traces, metrics, logs }, text => Assert.Contains("service.name", text));
    }

    [Fact]
    public async Task Without_one_nothing_is_listened_to()
    {
        await using AtrousServer server = AtrousServer.Create(Options());
        Assert.Null(server.Services.GetService(typeof(OpenTelemetry.Trace.TracerProvider)));
        Assert.Null(server.Services.GetService(typeof(OpenTelemetry.Logs.LoggerProvider)));
    }

    [Theory]
    [InlineData("collector:4317")]
    [InlineData("ftp://collector")]
    public void An_address_that_is_none_is_refused(string address)
    {
        UnavailableException e = Assert.Throws<UnavailableException>(
            () => AtrousServer.Create(Options() with { OtlpEndpoint = address }));
        Assert.Contains($"'{address}' is no address of an OpenTelemetry collector", e.Message);
    }

    [Fact]
    public async Task One_that_is_gone_holds_nothing_up()
    {
        AtrousServer server = AtrousServer.Create(Options() with { OtlpEndpoint = "http://127.0.0.1:9" });
        await server.StartAsync(Token);
        await server.Models.WhenLoadedAsync(Token);
        using var client = new HttpClient { BaseAddress = server.Address };
        (await client.PostAsync("v1/segment", new ByteArrayContent(Workplace.Photo()), Token)).EnsureSuccessStatusCode();
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), Token);
    }

    private ServerOptions Options() => ProtocolServer.Options(model.Path, admin: false) with
    {
        DrainDelay = TimeSpan.Zero,
    };

    /// <summary>Takes whatever is sent, and keeps it as text: names stand in protobuf as they are.</summary>
    private sealed class Stub(WebApplication application, ConcurrentQueue<(string Path, string Text)> got)
        : IAsyncDisposable
    {
        public string Address => application.Urls.Single();

        public string Got(string signal) =>
            string.Concat(got.Where(row => row.Path.Contains(signal, StringComparison.Ordinal))
                .Select(row => row.Text));

        public static async Task<Stub> StartAsync(bool grpc)
        {
            var got = new ConcurrentQueue<(string, string)>();
            WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel =>
                kestrel.ConfigureEndpointDefaults(endpoint =>
                    endpoint.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
            WebApplication application = builder.Build();
            application.Run(async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                got.Enqueue((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
                if (!grpc)
                    return;
                context.Response.ContentType = "application/grpc";
                context.Response.DeclareTrailer("grpc-status");
                await context.Response.Body.WriteAsync(new byte[5]);
                context.Response.AppendTrailer("grpc-status", "0");
            });
            await application.StartAsync(Token);
            return new Stub(application, got);
        }

        public ValueTask DisposeAsync() => application.DisposeAsync();
    }
}
