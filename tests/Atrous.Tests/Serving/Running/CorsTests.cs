using System.Net;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving.OpenInference;

namespace Atrous.Tests.Serving.Running;

/// <summary>Which web pages may read answers: none unless they are named.</summary>
public sealed class CorsTests(GeneratedModel model)
{
    private const string Named = "https://maps.example.org", Other = "https://other.example.org";

    [Fact]
    public async Task Pages_of_a_named_origin_may_read_answers_and_load_no_models()
    {
        await using AtrousServer server = await StartAsync(Named);
        using var http = new HttpClient { BaseAddress = server.Address };
        Assert.Equal((HttpStatusCode.OK, Named), await AskAsync(http, HttpMethod.Get, "v2/models/street", Named));
        Assert.Equal((HttpStatusCode.OK, null), await AskAsync(http, HttpMethod.Get, "v2/models/street", Other));
        // A browser asks for leave without the token that the request itself will have.
        Assert.Equal(
            (HttpStatusCode.NoContent, Named), await AskAsync(http, HttpMethod.Options, "v2/models/street/infer", Named));
        (HttpStatusCode status, _) = await AskAsync(http, HttpMethod.Post, "v2/repository/index", Named);
        Assert.Equal(HttpStatusCode.Forbidden, status);
    }

    [Fact]
    public async Task Nobody_is_named_unless_somebody_is()
    {
        await using AtrousServer server = await StartAsync();
        using var http = new HttpClient { BaseAddress = server.Address };
        Assert.Equal((HttpStatusCode.OK, null), await AskAsync(http, HttpMethod.Get, "v2/models/street", Named));
    }

    [Theory]
    [InlineData("maps.example.org")]
    [InlineData("https://maps.example.org/")]
    [InlineData("*")]
    public void What_is_no_origin_is_refused(string origin) =>
        Tool.Run("serve", "--cors-origin", origin, "--model", model.Path).Refuses(2, "a scheme and a host");

    private static async Task<(HttpStatusCode Status, string? Allowed)> AskAsync(
        HttpClient http, HttpMethod method, string path, string origin)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", origin);
        if (method == HttpMethod.Options)
            request.Headers.Add("Access-Control-Request-Method", "POST");
        else
            request.Headers.Add("Authorization", "Bearer a-token-of-this-test");
        using HttpResponseMessage answer = await http.SendAsync(request);
        return (answer.StatusCode, answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed)
            ? string.Join(",", allowed)
            : null);
    }

    private async Task<AtrousServer> StartAsync(params string[] origins)
    {
        AtrousServer server = AtrousServer.Create(ProtocolServer.Options(model.Path, admin: true) with
        {
            CorsOrigins = origins,
            Token = "a-token-of-this-test",
        });
        await server.StartAsync();
        await server.Models.WhenLoadedAsync();
        return server;
    }
}
