using System.Text.Json;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>Loading and unloading models where the server's options permit it.</summary>
public sealed class RepositoryTests(GeneratedModel model) : IAsyncLifetime
{
    private readonly Workplace _place = new();
    private AtrousServer _server = null!;
    private HttpClient _http = null!;

    private string Checkpoint => _place["model.safetensors"];

    public async ValueTask InitializeAsync()
    {
        File.Copy(model.Path, Checkpoint);
        _server = AtrousServer.Create(ProtocolServer.Options(Checkpoint, admin: true));
        await _server.StartAsync();
        await _server.Models.WhenLoadedAsync();
        _http = new HttpClient { BaseAddress = _server.Address };
        await AssertServes();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task The_extension_is_named_where_it_is_open() => Assert.Contains(
        "model_repository", (await _http.AskAsync("v2")).Succeeds().Json.GetProperty("extensions").EnumerateArray()
        .Select(name => name.GetString()));

    [Fact]
    public async Task A_model_goes_and_comes_back()
    {
        Assert.Equal("READY", await StateAsync());
        (await PostAsync("models/street/unload", """{"parameters":{"unload_dependents":false}}""")).Succeeds();
        Assert.Equal("UNAVAILABLE", await StateAsync());
        Assert.Equal(0, (await PostAsync("index", """{"ready":true}""")).Succeeds().Json.GetArrayLength());
        Answer ready = await _http.AskAsync("v2/models/street/ready");
        Assert.Equal(503, (int)ready.Status);
        Assert.False(ready.Json.GetProperty("ready").GetBoolean());
        Assert.Contains("street", ready.Json.GetProperty("error").GetString());
        (await _http.AskAsync("v2/models/street")).Refuses(503, "street");
        (await _http.AskAsync("v2/models/street/config")).Refuses(503, "street");
        (await _http.AskAsync(Protocol.Post(Protocol.Infer, "{}"))).Refuses(503, "street");

        // As the Python client asks for it.
        (await PostAsync("models/street/load", "{}")).Succeeds();
        Assert.Equal("READY", await StateAsync());
        await AssertServes();
    }

    [Fact]
    public async Task A_failed_reload_keeps_the_old_model()
    {
        // The old file stays open, and as it was, for the model that was loaded from it.
        File.Delete(Checkpoint);
        File.WriteAllText(Checkpoint, "no checkpoint");
        Answer answer = await PostAsync("models/street/load", "");
        answer.Refuses(400, "model.safetensors");
        await AssertServes();
        File.Delete(Checkpoint);
        File.Copy(model.Path, Checkpoint);
        (await PostAsync("models/street/load", "")).Succeeds();
        await AssertServes();
    }

    [Theory]
    [InlineData("load", """{"parameters":{"config":"{}"}}""")]
    [InlineData("load", """{"parameters":{"file:1/model.onnx":"AAAA"}}""")]
    [InlineData("load", """{"parameters":{"file:../../etc/passwd":"AAAA"}}""")]
    [InlineData("load", """{"parameters":{"\u0066ile:x":"AAAA"}}""")]
    [InlineData("unload", """{"parameters":{"config":"{}"}}""")]
    public async Task A_client_brings_no_files_and_no_configuration(string verb, string body)
    {
        (await PostAsync($"models/street/{verb}", body)).Refuses(400, "as the server was configured");
        await AssertServes();
    }

    [Theory]
    [InlineData("models/street/load")]
    [InlineData("models/street/unload")]
    [InlineData("index")]
    public async Task The_document_is_wrong(string path)
    {
        (await PostAsync(path, "[]")).Refuses(400, "must be an object");
        (await PostAsync(path, "{")).Refuses(400, "cannot be read");
        (await PostAsync(path, "{\"x\":" + new string('[', 100_000) + new string(']', 100_000) + "}"))
            .Refuses(400, "nested");
        await AssertServes();
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("%20")]
    [InlineData("..%2Fmodel")]
    public async Task There_is_no_such_model(string name)
    {
        (await PostAsync($"models/{name}/load", "{}")).Refuses(404, "no model");
        (await PostAsync($"models/{name}/unload", "{}")).Refuses(404, "no model");
    }

    [Fact]
    public async Task A_server_on_its_way_out_is_not_ready_and_still_serves()
    {
        (await _http.AskAsync("v2/health/ready")).Succeeds();
        using var hurry = new CancellationTokenSource();
        Task draining = _server.DrainAsync(hurry.Token);
        Answer ready = await _http.AskAsync("v2/health/ready");
        Assert.Equal(503, (int)ready.Status);
        Assert.False(ready.Json.GetProperty("ready").GetBoolean());
        Assert.Contains("shutting down", ready.Json.GetProperty("error").GetString());
        (await _http.AskAsync("v2/health/live")).Succeeds();
        await AssertServes();
        hurry.Cancel();
        await draining;
    }

    private Task<Answer> PostAsync(string path, string body) =>
        _http.AskAsync(Protocol.Post($"v2/repository/{path}", body));

    [Theory]
    [InlineData("Origin", "http://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Origin", "https://{self}", 200)]
    [InlineData("Origin", "http://{self}", 200)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Host", "evil.example", 403)]
    [InlineData("Host", "localhost:9", 200)]
    [InlineData("Host", "[::1]:9", 200)]
    [InlineData("Content-Type", "text/plain", 415)]
    [InlineData("Content-Type", "Text/Plain; charset=utf-8", 415)]
    [InlineData("Content-Type", "application/x-www-form-urlencoded", 415)]
    [InlineData("Content-Type", "multipart/form-data; boundary=x", 415)]
    [InlineData("Content-Type", "nonsense", 415)]
    [InlineData("Content-Type", "application/csp-report", 415)]
    [InlineData("Content-Type", "text/ping", 415)]
    [InlineData("Content-Type", "application/json", 200)]
    [InlineData("Content-Type", "application/octet-stream", 200)]
    public async Task A_web_page_loads_no_model(string header, string value, int status)
    {
        foreach (string path in new[] { "index", "models/street/load" })
        {
            using HttpRequestMessage request = Protocol.Post("v2/repository/" + path, "{}");
            value = value.Replace("{self}", _server.Address.Authority, StringComparison.Ordinal);
            Assert.True(request.Headers.TryAddWithoutValidation(header, value)
                || request.Content!.Headers.TryAddWithoutValidation(header, value));
            Assert.Equal(status, (int)(await _http.AskAsync(request)).Status);
        }
    }

    private async Task<string?> StateAsync()
    {
        JsonElement entry = Assert.Single((await PostAsync("index", "")).Succeeds().Json.EnumerateArray());
        Assert.Equal("street", entry.GetProperty("name").GetString());
        Assert.Equal("1", entry.GetProperty("version").GetString());
        Assert.NotNull(entry.GetProperty("reason").GetString());
        return entry.GetProperty("state").GetString();
    }

    private async Task AssertServes()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Workplace.Photo());
        request.Headers.Add(Protocol.HeaderLength, "0");
        (await _http.AskAsync(request)).Succeeds();
    }
}
