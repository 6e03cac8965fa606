using System.Net;
using System.Net.Sockets;
using System.Text;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>A case of Triton's own tests, qa/L0_http: bodies of very many chunks.</summary>
[Collection(nameof(Alone))]
public sealed class ChunkedBodyTests(GeneratedModel model) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly AtrousServer _server = AtrousServer.Create(ProtocolServer.Options(model.Path, admin: true));
    private readonly HttpClient _http = new();

    private BodyBudget Bodies => _server.Services.GetRequiredService<BodyBudget>();

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        await _server.Models.WhenLoadedAsync().WaitAsync(Patience);
        _http.BaseAddress = _server.Address;
        await AssertServes();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(100_000, "HTTP/1.1 400")]
    [InlineData(ProtocolServer.MaxBodyBytes + 1, "HTTP/1.1 413")]
    public async Task A_chunk_for_every_byte_costs_no_more_than_the_body(int chunks, string status)
    {
        byte[] body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1\r\nx\r\n", chunks)) + "0\r\n\r\n");
        using TcpClient client = await ConnectAsync();
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(
            "POST /v2/models/street/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        long before = GC.GetTotalAllocatedBytes();
        Task sent = stream.WriteAsync(body).AsTask();
        byte[] answer = new byte[12];
        await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(Patience);
        Assert.Equal(status, Encoding.ASCII.GetString(answer));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 16 << 20);
        Assert.Equal(0, Bodies.Held);
        client.Close();
        await Record.ExceptionAsync(() => sent);
        await AssertServes();
    }

    private async Task AssertServes()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Workplace.Photo());
        request.Headers.Add(Protocol.HeaderLength, "0");
        (await _http.AskAsync(request)).Succeeds();
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, _server.Address.Port);
        return client;
    }
}
