using System.Net;
using Atrous.Server;
using Atrous.Server.Rpc.Wire;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving.OpenInference;
using Atrous.Tests.Serving.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;

namespace Atrous.Tests.Serving.Running;

/// <summary>A token for all requests, or for loading and unloading models alone.</summary>
public sealed class TokenTests(GeneratedModel model)
{
    private const string Token = "a-token-of-this-test";
    private static readonly Metadata Right = new() { { "authorization", $"Bearer {Token}" } };

    [Fact]
    public async Task All_but_probes_need_the_token()
    {
        await using AtrousServer server = await StartAsync(adminAlone: false);
        using var http = new HttpClient { BaseAddress = server.Address };
        foreach (string path in new[] { "livez", "readyz", "v2/health/ready" })
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(path)).StatusCode);
        string[] guarded = ["", "v1/models", "v2", "v2/models/street", "metrics", "openapi/v1.json", "V2/models"];
        foreach (string path in guarded)
        {
            foreach (string? given in new[] { null, "Bearer", "Bearer another", "Basic " + Token, Token })
            {
                HttpResponseMessage refused = await AskAsync(http, path, given);
                Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
                Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
                Assert.Contains("needs the server's token", await refused.Content.ReadAsStringAsync());
            }
            HttpResponseMessage answer = await AskAsync(http, path.ToLowerInvariant(), $"Bearer {Token}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress!);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        await RpcServer.Refuses(
            StatusCode.Unauthenticated, async () => await client.ServerLiveAsync(new()), "needs the server's token");
        await RpcServer.Refuses(
            StatusCode.Unauthenticated, async () => await client.ModelInferAsync(RpcServer.PhotoRequest()));
        Assert.True((await client.ServerLiveAsync(new(), Right)).Live);
        await new Health.HealthClient(channel).CheckAsync(new());
    }

    [Fact]
    public async Task Loading_alone_may_need_the_token()
    {
        await using AtrousServer server = await StartAsync(adminAlone: true);
        using var http = new HttpClient { BaseAddress = server.Address };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("v2/models/street")).StatusCode);
        (await http.AskAsync(Protocol.Post("v2/repository/index", ""))).Refuses(401, "token");
        foreach (string path in new[] { "V2/Repository/models/street/unload", "v2/%72epository/index" })
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.PostAsync(path, null)).StatusCode);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.GrpcAddress!);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        Assert.True((await client.ServerLiveAsync(new())).Live);
        await RpcServer.Refuses(
            StatusCode.Unauthenticated,
            async () => await client.RepositoryModelUnloadAsync(new() { ModelName = "street" }));
        Assert.Single((await client.RepositoryIndexAsync(new(), Right)).Models);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("short\n", "at least 16")]
    [InlineData("a token with some spaces\n", "without spaces")]
    [InlineData("two lines of a token\nand another\n", "one line")]
    public void A_file_without_a_token_is_refused(string text, string words)
    {
        using var place = new Workplace();
        Tool.Run("serve", "--token-file", place.Add("token", text), "--model", model.Path).Refuses(2, words);
    }

    private static Task<HttpResponseMessage> AskAsync(HttpClient http, string path, string? authorization)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return http.SendAsync(request);
    }

    private async Task<AtrousServer> StartAsync(bool adminAlone)
    {
        AtrousServer server = AtrousServer.Create(ProtocolServer.Options(model.Path, admin: true) with
        {
            GrpcPort = 0,
            Token = Token,
            TokenForAdminAlone = adminAlone,
        });
        await server.StartAsync();
        await server.Models.WhenLoadedAsync();
        return server;
    }
}
