using System.Net;
using System.Net.Sockets;
using System.Text;
using Atrous.Server;
using Atrous.Tests.Segmenters;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Atrous.Tests.Serving;

/// <summary>Clients that would keep others out: by slow bodies, idle connections, or many of either.</summary>
public sealed class HostileClientTests(GeneratedModel model)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly ServerLimits Limits =
        new() { MaxBufferedBytes = 64 << 20, MaxBodyBytes = 16 << 20, MaxConnections = 8 };

    [Fact]
    public void One_client_has_a_share_of_the_memory_for_bodies()
    {
        var budget = new BodyBudget(new ServerOptions { Models = _ => { }, Limits = Limits });
        const int body = 8 << 20;
        budget.Charge("a", body, body);
        budget.Charge("a", body, body);
        Assert.Contains("of this client", Refused(() => budget.Charge("a", body, body)), StringComparison.Ordinal);
        // Its own small ones have their part all the same.
        budget.Charge("a", BodyBudget.Small, BodyBudget.Small);
        budget.Refund("a", BodyBudget.Small);
        budget.Charge("b", body, body);
        budget.Refund("a", body);
        budget.Charge("a", body, body);
        foreach (int bytes in new[] { body, body })
            budget.Refund("a", bytes);
        budget.Refund("b", body);
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public void Large_bodies_leave_room_for_small_ones()
    {
        var budget = new BodyBudget(new ServerOptions { Models = _ => { }, Limits = Limits });
        const int body = 8 << 20;
        for (int i = 0; i < 7; i++)
            budget.Charge($"{i}", body, body);
        Assert.Contains("Too many large", Refused(() => budget.Charge("7", body, body)), StringComparison.Ordinal);
        for (int i = 0; i < 8; i++)
            budget.Charge("8", BodyBudget.Small, BodyBudget.Small);
        Refused(() => budget.Charge("9", BodyBudget.Small, BodyBudget.Small));
    }

    [Fact]
    public void A_client_with_a_network_of_addresses_is_one()
    {
        Assert.Equal(ClientOf("2001:db8:1:2::1"), ClientOf("2001:db8:1:2:ffff::9"));
        Assert.NotEqual(ClientOf("2001:db8:1:2::1"), ClientOf("2001:db8:1:3::1"));
        Assert.Equal(ClientOf("192.0.2.1"), ClientOf("::ffff:192.0.2.1"));
        Assert.NotEqual(ClientOf("192.0.2.1"), ClientOf("192.0.2.2"));

        static string ClientOf(string address) => BodyBudget.ClientOf(IPAddress.Parse(address));
    }

    [Fact]
    public void A_burst_does_not_make_up_for_dripping()
    {
        var time = new FakeTimeProvider();
        var pace = new BodyPace(1000, time);
        Assert.True(pace.Keeps(10_000_000));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(pace.Keeps(1));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(pace.Keeps(10_000));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(pace.Keeps(9_999));
    }

    [Fact]
    public async Task A_body_that_does_not_end_has_a_deadline()
    {
        var options = new ServerOptions
        {
            Models = _ => { },
            Limits = new ServerLimits { BodyTimeout = TimeSpan.FromMilliseconds(100) },
        };
        var budget = new BodyBudget(options);
        var context = new DefaultHttpContext
        {
            RequestServices =
                new ServiceCollection().AddSingleton(options).AddSingleton(budget).BuildServiceProvider(),
        };
        context.Request.Body = new EndlessStream();
        BadHttpRequestException e = await Assert.ThrowsAsync<BadHttpRequestException>(
            () => RequestBody.ReadAsync(context, default)).WaitAsync(Patience);
        Assert.Equal(408, e.StatusCode);
        Assert.Contains("0.1 s in all", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task A_connection_that_sends_nothing_is_closed()
    {
        await using AtrousServer server = await Start(
            Limits with { HeaderTimeout = TimeSpan.FromSeconds(1), KeepAliveTimeout = TimeSpan.FromHours(1) });
        using TcpClient idle = await Connect(server);
        Assert.Equal("", await Read(idle));
    }

    [Fact]
    public async Task Connections_that_send_nothing_make_room_for_others_of_their_client()
    {
        await using AtrousServer server = await Start(
            Limits with { HeaderTimeout = TimeSpan.FromHours(1), KeepAliveTimeout = TimeSpan.FromHours(1) });
        var silent = new List<TcpClient>();
        try
        {
            for (int i = 0; i < Limits.MaxConnections / 2; i++)
                silent.Add(await Connect(server));
            for (int i = 0; i < 3; i++)
            {
                using TcpClient another = await Connect(server);
                await another.GetStream()
                    .WriteAsync("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
                Assert.StartsWith("HTTP/1.1 200", await Read(another), StringComparison.Ordinal);
            }
            Assert.Equal("", await Read(silent[0]));
        }
        finally
        {
            silent.ForEach(connection => connection.Dispose());
        }
    }

    [Fact]
    public async Task One_client_has_half_of_the_connections()
    {
        await using AtrousServer server = await Start(
            Limits with { HeaderTimeout = TimeSpan.FromHours(1), KeepAliveTimeout = TimeSpan.FromHours(1) });
        var open = new List<TcpClient>();
        try
        {
            for (int i = 0; i < Limits.MaxConnections / 2; i++)
            {
                open.Add(await Connect(server));
                await open[i].GetStream().WriteAsync("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
                Assert.Equal('H', open[i].GetStream().ReadByte());
            }
            using (TcpClient another = await Connect(server))
                Assert.Equal("", await Read(another));
            open[0].Dispose();
            using var client = new HttpClient { BaseAddress = server.Address };
            for (int tries = 0; ; tries++, await Task.Delay(50))
            {
                try
                {
                    Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("livez")).StatusCode);
                    break;
                }
                catch (HttpRequestException) when (tries < 100)
                {
                    // The server has not noticed yet that a place is free.
                }
            }
        }
        finally
        {
            open.ForEach(connection => connection.Dispose());
        }
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFF")]
    [InlineData("80000000")]
    [InlineData("7FFFFFFFFFFFFFFF")]
    [InlineData("-1")]
    public async Task A_chunk_of_no_size_is_a_bad_request(string size)
    {
        await using AtrousServer server = await Start(new ServerLimits());
        await server.Models.WhenLoadedAsync().WaitAsync(Patience);
        using TcpClient client = await Connect(server);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            "POST /v1/segment HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            + $"{size}\r\nabc\r\n"));
        Assert.StartsWith("HTTP/1.1 400", await Read(client), StringComparison.Ordinal);
    }

    private static string Refused(Action charge)
    {
        BadHttpRequestException e = Assert.Throws<BadHttpRequestException>(charge);
        Assert.Equal(503, e.StatusCode);
        return e.Message;
    }

    private static async Task<TcpClient> Connect(AtrousServer server)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        return client;
    }

    /// <summary>All that the server sends until it closes.</summary>
    private static async Task<string> Read(TcpClient client)
    {
        try
        {
            using var reader = new StreamReader(client.GetStream());
            return await reader.ReadToEndAsync().WaitAsync(Patience);
        }
        catch (IOException)
        {
            return ""; // reset instead of closed
        }
    }

    private async Task<AtrousServer> Start(ServerLimits limits)
    {
        var server = AtrousServer.Create(new ServerOptions
        {
            Port = 0,
            DrainDelay = TimeSpan.Zero,
            LogLevel = LogLevel.None,
            Limits = limits,
            Models = options => options.AddModel("m", model.Path),
        });
        await server.StartAsync();
        return server;
    }

    /// <summary>Waits for ever, as a sender does that has stopped.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
