using System.Net;
using System.Net.Sockets;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>A server for each test, which may be ended or filled without harm to others.</summary>
public abstract class OwnServer(GeneratedModel model) : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    internal AtrousServer Server { get; } = AtrousServer.Create(ProtocolServer.Options(model.Path, admin: true));

    protected HttpClient Http { get; } = new();

    protected string ModelPath { get; } = model.Path;

    internal BodyBudget Bodies => Server.Services.GetRequiredService<BodyBudget>();

    public async ValueTask InitializeAsync()
    {
        await Server.StartAsync();
        await Server.Models.WhenLoadedAsync().WaitAsync(Patience);
        Http.BaseAddress = Server.Address;
        await AssertServes();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A request for the mask of a picture that is its whole body.</summary>
    protected static HttpRequestMessage Raw()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Workplace.Photo());
        request.Headers.Add(Protocol.HeaderLength, "0");
        return request;
    }

    protected async Task AssertServes() => (await Http.AskAsync(Raw())).Succeeds();

    protected async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, Server.Address.Port);
        return client;
    }
}
