using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrous.Server;
using Atrous.Server.Rpc.Wire;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving.OpenInference;
using Grpc.Core;
using Grpc.Net.Client;

namespace Atrous.Tests.Serving.Running;

/// <summary>Clients that show certificates: for all, or for loading and unloading models alone.</summary>
public sealed class MutualTlsTests(GeneratedModel model) : IDisposable
{
    private const string Reload = "v2/repository/models/street/load";

    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2", ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly Workplace _place = new();
    private readonly X509Certificate2 _authority = Authority("ours"), _stranger = Authority("strangers");

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task Nobody_connects_without_a_certificate_that_is_vouched_for()
    {
        await using AtrousServer server = await StartAsync(adminAlone: false);
        using X509Certificate2 good = Issue(_authority, ClientAuthentication), plain = Issue(_authority, purpose: null);
        using X509Certificate2 strange = Issue(_stranger, ClientAuthentication);
        using X509Certificate2 server2 = Issue(_authority, ServerAuthentication);
        using X509Certificate2 expired = Issue(_authority, ClientAuthentication, expired: true);
        foreach (X509Certificate2 sound in new[] { good, plain })
        {
            foreach (string path in new[] { "livez", "v1/models" })
                Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, path, sound));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, Reload, sound));
        }
        foreach (X509Certificate2? bad in new[] { null, strange, server2, expired })
        {
            foreach (string path in new[] { "livez", "v1/models", Reload })
                await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(server.Address, path, bad));
        }
        Assert.True(await IsLiveByGrpc(server, good));
        await Assert.ThrowsAsync<RpcException>(() => IsLiveByGrpc(server, null));
        await Assert.ThrowsAsync<RpcException>(() => IsLiveByGrpc(server, strange));
    }

    /// <summary>The client sends what leads from its own certificate to the authority.</summary>
    [Fact]
    public async Task One_between_the_client_and_the_authority_is_taken_along()
    {
        await using AtrousServer server = await StartAsync(adminAlone: false);
        using X509Certificate2 between = Issue(_authority, purpose: null, name: "between", vouches: true);
        using X509Certificate2 client = Issue(between, ClientAuthentication);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, "livez", client, between));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(server.Address, "livez", client));
    }

    [Fact]
    public async Task Or_only_to_load_and_unload_models()
    {
        await using AtrousServer server = await StartAsync(adminAlone: true);
        using X509Certificate2 good = Issue(_authority, ClientAuthentication);
        using X509Certificate2 strange = Issue(_stranger, ClientAuthentication);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, "v1/models", null));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, "v1/models", good));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, Reload, good));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(server.Address, Reload, null));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(server.Address, "v1/models", strange));
        Assert.True(await IsLiveByGrpc(server, null));
        using GrpcChannel channel = ChannelOf(server, null);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await new GRPCInferenceService.GRPCInferenceServiceClient(channel).RepositoryModelLoadAsync(
                new RepositoryModelLoadRequest { ModelName = "street" }));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Contains("needs a client's certificate", refused.Status.Detail);
    }

    [Fact]
    public async Task Whoever_vouches_may_change_while_the_server_runs()
    {
        await using AtrousServer server = await StartAsync(adminAlone: false);
        using X509Certificate2 old = Issue(_authority, ClientAuthentication);
        using X509Certificate2 young = Issue(_stranger, ClientAuthentication);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, "livez", old));
        File.WriteAllText(_place["ca.pem"], _stranger.ExportCertificatePem());
        // The files are looked at once a second.
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Address, "livez", young));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(server.Address, "livez", old));
    }

    [Theory]
    [InlineData("no certificate", "has no certificate of PEM")]
    [InlineData(null, "of those that vouch for clients cannot be used")]
    public void A_file_without_a_certificate_is_refused(string? text, string sentence)
    {
        WriteServer();
        if (text is not null)
            File.WriteAllText(_place["ca.pem"], text);
        UnavailableException e = Assert.Throws<UnavailableException>(
            () => AtrousServer.Create(Options(adminAlone: false)));
        Assert.Contains(sentence, e.Message);
    }

    private async Task<AtrousServer> StartAsync(bool adminAlone)
    {
        WriteServer();
        File.WriteAllText(_place["ca.pem"], _authority.ExportCertificatePem());
        AtrousServer server = AtrousServer.Create(Options(adminAlone));
        await server.StartAsync(TestContext.Current.CancellationToken);
        await server.Models.WhenLoadedAsync(TestContext.Current.CancellationToken);
        return server;
    }

    private ServerOptions Options(bool adminAlone) => ProtocolServer.Options(model.Path, admin: true) with
    {
        DrainDelay = TimeSpan.Zero,
        TlsCertificate = _place["tls.pem"],
        TlsClientCa = _place["ca.pem"],
        TlsClientForAdminAlone = adminAlone,
    };

    private void WriteServer()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(
            _place["tls.pem"], $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    private static X509Certificate2 Authority(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 1, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
    }

    private static X509Certificate2 Issue(
        X509Certificate2 authority, string? purpose, bool expired = false, string name = "a client", bool vouches = false)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (vouches)
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        if (purpose is not null)
            request.CertificateExtensions.Add(
                new X509EnhancedKeyUsageExtension(new OidCollection { new Oid(purpose) }, critical: true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        // One that vouches for others is older than they, and outlives them.
        TimeSpan margin = TimeSpan.FromMinutes(vouches ? 1 : 0);
        using X509Certificate2 bare = request.Create(
            authority, now.AddDays(-2) - margin, now.AddDays(expired ? -1 : 1) + margin,
            RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 own = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
    }

    private static SocketsHttpHandler HandlerOf(X509Certificate2? certificate, params X509Certificate2[] others)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.Subject == "CN=localhost";
        // Even where it suits no authority that the server names.
        if (certificate is not null)
            handler.SslOptions.ClientCertificateContext =
                SslStreamCertificateContext.Create(certificate, [.. others], offline: true);
        return handler;
    }

    private static async Task<HttpStatusCode> AskAsync(
        Uri address, string path, X509Certificate2? certificate, params X509Certificate2[] others)
    {
        using var client = new HttpClient(HandlerOf(certificate, others)) { BaseAddress = address };
        using HttpResponseMessage answer = path == Reload
            ? await client.PostAsync(path, null, TestContext.Current.CancellationToken)
            : await client.GetAsync(path, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static GrpcChannel ChannelOf(AtrousServer server, X509Certificate2? certificate) =>
        GrpcChannel.ForAddress(
            server.GrpcAddress!,
            new GrpcChannelOptions { HttpHandler = HandlerOf(certificate), DisposeHttpClient = true });

    private static async Task<bool> IsLiveByGrpc(AtrousServer server, X509Certificate2? certificate)
    {
        using GrpcChannel channel = ChannelOf(server, certificate);
        return (await new GRPCInferenceService.GRPCInferenceServiceClient(channel).ServerLiveAsync(
            new ServerLiveRequest())).Live;
    }
}
