using System.Text.Json;
using Atrous.Hosting;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving.V1;

/// <summary>A server with two names for one small model, and a client of it.</summary>
public sealed class SegmentServer(GeneratedModel model) : IAsyncLifetime
{
    public const int MaxPixels = 64 * 64, MaxNetworkPixels = 150 * 150, MaxBodyBytes = 1 << 20;

    private static readonly string[] Names = ["first", "second"];

    private AtrousServer? _server;

    public HttpClient Client { get; } = new();

    public string ModelPath => model.Path;

    public async ValueTask InitializeAsync()
    {
        _server = AtrousServer.Create(new ServerOptions
        {
            Port = 0,
            LogLevel = LogLevel.Error,
            Limits = new ServerLimits { MaxBodyBytes = MaxBodyBytes },
            Models = options =>
            {
                options.MaxPixels = MaxPixels;
                options.MaxNetworkPixels = MaxNetworkPixels;
                // One network of each at a time, so that a test leaves as many buffers as it finds.
                foreach (string name in Names)
                {
                    options.Models.Add(name, new ModelOptions
                    {
                        Path = model.Path,
                        Segmenter = new() { CachedShapes = 1 },
                        Batching = new() { MaxBatch = 1 },
                        WarmUp = [],
                    });
                }
            },
        });
        await _server.StartAsync();
        await _server.Models.WhenLoadedAsync();
        Client.BaseAddress = _server.Address;
        foreach (string name in Names)
            (await PostAsync($"?model={name}", Workplace.Photo())).EnsureSuccessStatusCode().Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>Posts a body, with a content type or without.</summary>
    public Task<HttpResponseMessage> PostAsync(string query, byte[] body, string? contentType = null)
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return Client.PostAsync("v1/segment" + query, content);
    }

    /// <summary>The answer's problem: the status that it repeats, and its sentence.</summary>
    public static async Task<string> ProblemOf(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal((int)response.StatusCode, problem.RootElement.GetProperty("status").GetInt32());
        return problem.RootElement.GetProperty("detail").GetString()!;
    }

    public static async Task<JsonElement> JsonOf(HttpResponseMessage response)
    {
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        return JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsByteArrayAsync());
    }
}
