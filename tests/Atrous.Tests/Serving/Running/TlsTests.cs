using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrous.Server;
using Atrous.Server.Rpc.Wire;
using Atrous.Server.Running;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving.OpenInference;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Atrous.Tests.Serving.Running;

/// <summary>TLS by files, which may change while the server runs.</summary>
public sealed class TlsTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task HTTP_and_gRPC_share_a_port_and_new_files_are_taken_up()
    {
        string first = Write(DateTime.UtcNow.AddMinutes(-2));
        await using AtrousServer server = await StartAsync();
        Assert.Equal("https", server.Address.Scheme);
        Assert.Equal("https", server.GrpcAddress!.Scheme);
        foreach (Version version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
            Assert.Equal((first, version), await AskAsync(server.Address, version));
        foreach (Uri address in new[] { server.Address, server.GrpcAddress })
        {
            using var handler = new SocketsHttpHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.Subject == "CN=localhost";
            using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler });
            var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
            Assert.True((await client.ServerLiveAsync(new())).Live);
        }

        string second = Write(DateTime.UtcNow.AddMinutes(-1));
        Assert.NotEqual(first, second);
        await UntilAsync(server.Address, second);
        // Half of a renewal: what was there stays.
        File.WriteAllText(_place["tls.crt"], "not yet");
        await Task.Delay(1500);
        Assert.Equal(second, (await AskAsync(server.Address, HttpVersion.Version11)).Thumbprint);
        await UntilAsync(server.Address, Write(DateTime.UtcNow.AddMinutes(1)));
    }

    [Fact]
    public void Empty_names_are_refused_and_never_read_as_none()
    {
        Write(DateTime.UtcNow);
        ServerOptions options =
            new() { Models = _ => { }, TlsCertificate = _place["tls.crt"], TlsKey = _place["tls.key"] };
        foreach ((ServerOptions empty, string words) in new[]
        {
            (options with { TlsCertificate = "" }, "cannot be used"),
            (options with { TlsKey = "" }, "cannot be used"),
            (options with { TlsClientCa = "" }, "that vouch for clients cannot be used"),
        })
        {
            var e = Assert.Throws<UnavailableException>(
                () => new TlsFiles(empty, NullLogger.Instance, TimeProvider.System));
            Assert.Contains(words, e.Message);
        }
    }

    /// <summary>
    /// As Kubernetes renews them: the links stay, and what they lead to through another link changes.
    /// </summary>
    [Fact]
    public async Task What_links_lead_to_is_taken_up()
    {
        string first = Write(DateTime.UtcNow.AddMinutes(-2), "one"), second = Write(DateTime.UtcNow, "two");
        Directory.CreateSymbolicLink(_place["data"], "one");
        foreach (string file in new[] { "tls.key", "tls.crt" })
            File.CreateSymbolicLink(_place[file], Path.Combine("data", file));
        await using AtrousServer server = await StartAsync();
        Assert.Equal(first, (await AskAsync(server.Address, HttpVersion.Version11)).Thumbprint);
        Directory.CreateSymbolicLink(_place["next"], "two");
        Directory.Delete(_place["data"]);
        Directory.Move(_place["next"], _place["data"]);
        await UntilAsync(server.Address, second);
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_refused_in_a_sentence()
    {
        Write(DateTime.UtcNow);
        File.Copy(_place["tls.crt"], _place["tls.key"], overwrite: true);
        UnavailableException e = await Assert.ThrowsAsync<UnavailableException>(StartAsync);
        Assert.Contains(_place["tls.key"], e.Message);
        File.Delete(_place["tls.crt"]);
        e = await Assert.ThrowsAsync<UnavailableException>(StartAsync);
        Assert.Contains("cannot be used", e.Message);
        if (OperatingSystem.IsLinux())
            Tool.Run("serve", "--tls-cert", "/dev/zero", "--model", model.Path).Refuses(2, "a device");
        Tool.Run("serve", "--tls-cert", _place["tls.crt"], "--model", model.Path).Refuses(2, "cannot be used");
        Tool.Run("serve", "--tls-key", _place["tls.key"], "--model", model.Path).Refuses(2, "--tls-cert");
    }

    private async Task<AtrousServer> StartAsync()
    {
        AtrousServer server = AtrousServer.Create(ProtocolServer.Options(model.Path, admin: false) with
        {
            GrpcPort = 0,
            TlsCertificate = _place["tls.crt"],
            TlsKey = _place["tls.key"],
        });
        try
        {
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static async Task UntilAsync(Uri address, string thumbprint)
    {
        for (int i = 0; (await AskAsync(address, HttpVersion.Version11)).Thumbprint != thumbprint; i++)
        {
            Assert.True(i < 100, "the old certificate is still there");
            await Task.Delay(100);
        }
    }

    /// <summary>Asks on a connection of its own.</summary>
    private static async Task<(string Thumbprint, Version Version)> AskAsync(Uri address, Version version)
    {
        string thumbprint = "";
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, certificate, _, _) =>
            {
                thumbprint = certificate!.Thumbprint;
                return true;
            },
        };
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "livez"))
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (thumbprint, response.Version);
    }

    /// <summary>A new certificate, whose files have this time; returns its thumbprint.</summary>
    private string Write(DateTime time, string folder = "")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _place.Add(Path.Combine(folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        _place.Add(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
        foreach (string file in new[] { "tls.key", "tls.crt" })
            File.SetLastWriteTimeUtc(_place[Path.Combine(folder, file)], time);
        return certificate.Thumbprint;
    }
}
