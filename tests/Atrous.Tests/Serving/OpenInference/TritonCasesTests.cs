using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Atrous.Hosting;
using Atrous.Server;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>
/// The cases of Triton's own tests that are about a server's life rather than one request's: qa/L0_http (no leak on a
/// wrong header length), L0_lifecycle (loads and unloads at once, shutdown while loading and with queued
/// requests), L0_model_queue (a longer timeout is not granted).
/// </summary>
public sealed class TritonCasesTests(GeneratedModel model) : OwnServer(model)
{
    [Fact]
    public async Task A_wrong_header_length_leaves_nothing_behind()
    {
        byte[] body = new byte[ProtocolServer.MaxBodyBytes / 2];
        for (int i = 0; i < 100; i++)
        {
            HttpRequestMessage request = Protocol.Post(Protocol.Infer, body);
            request.Headers.Add(Protocol.HeaderLength, i % 2 == 0 ? "99999999999" : $"{body.Length + 1}");
            (await Http.AskAsync(request)).Refuses(400, Protocol.HeaderLength);
            Assert.Equal(0, Bodies.Held);
        }
        await AssertServes();
    }

    [Fact]
    public async Task Loads_and_unloads_at_once_take_turns()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Http.AskAsync(
            Protocol.Post($"v2/repository/models/street/{(i % 3 == 2 ? "unload" : "load")}", "{}"))))
            .WaitAsync(Patience);
        Assert.All(answers, answer => answer.Succeeds());
        (await Http.AskAsync(Protocol.Post("v2/repository/models/street/load", "{}"))).Succeeds();
        await AssertServes();
    }

    [Fact]
    public async Task Shutdown_answers_what_waits_and_takes_no_new_connections()
    {
        GatedWork busy = await GatedWork.Occupy(Server.Models);
        Task<Answer>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => Http.AskAsync(Raw()))];
        await Until(() => Server.Models.Default.Statistics.QueueLength == waiting.Length);
        Task drained = Server.DrainAsync(new CancellationToken(canceled: true));
        await Until(() => !Connects());
        Assert.DoesNotContain(waiting, request => request.IsCompleted);
        busy.Open();
        foreach (Answer answer in await Task.WhenAll(waiting).WaitAsync(Patience))
            answer.Succeeds();
        await drained.WaitAsync(Patience);
        Assert.Equal(0, Server.Models.Default.Statistics.QueueLength);
    }

    [Fact]
    public async Task Shutdown_while_a_model_is_loading_ends()
    {
        var server = AtrousServer.Create(ProtocolServer.Options(ModelPath, admin: false));
        await server.StartAsync();
        await server.DrainAsync(new CancellationToken(canceled: true)).WaitAsync(Patience);
        await server.DisposeAsync().AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_body_that_stops_coming_is_given_up()
    {
        using TcpClient client = await ConnectAsync();
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(
            "POST /v2/models/street/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nonly this"u8.ToArray());
        using var reader = new StreamReader(stream);
        string answer = await reader.ReadToEndAsync().WaitAsync(Patience);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Equal(0, Bodies.Held);
        await AssertServes();
    }

    private static async Task Until(Func<bool> condition)
    {
        for (long start = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(5))
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, "It never came to that.");
    }

    private bool Connects()
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Server.Address.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
