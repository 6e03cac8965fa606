using System.Collections.Concurrent;
using System.Net;
using Atrous.Imaging;
using Atrous.Tests.Cli;
using Grpc.Net.Client;

namespace Atrous.Tests.Serving.Soak;

/// <summary>Good and hostile clients of a server, over HTTP and gRPC, beside each other.</summary>
/// <param name="server">On loopback.</param>
/// <param name="grpc">The same server's port for gRPC.</param>
/// <param name="model">The checkpoint that it serves as "street".</param>
/// <param name="rate">
/// Requests a second of all clients together; 0 is as fast as they go. The models are loaded anew once in two hundred
/// requests, or every four seconds.
/// </param>
internal sealed class Traffic(Uri server, Uri grpc, string model, double rate)
{
    private const int GoodClients = 3, Callers = 2, HostileClients = 2;

    private readonly IPEndPoint _address = new(IPAddress.Loopback, server.Port);
    private readonly GoodRequest[] _good = GoodRequests(model);
    private readonly GoodCall[] _calls = GoodCalls(model);
    private long _goodSent, _hostileSent;

    /// <summary>Good requests that were answered rightly.</summary>
    public long Good => Interlocked.Read(ref _goodSent);

    /// <summary>Hostile ones that were answered or hung up on, as they deserve.</summary>
    public long Hostile => Interlocked.Read(ref _hostileSent);

    /// <summary>What went wrong: a sentence each.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>Everything once, one after the other, on connections that end with it.</summary>
    public async Task Round(Random random)
    {
        using HttpClient client = Connect();
        foreach (GoodRequest request in _good)
            Count(ref _goodSent, await request.TryAsync(client));
        using (GrpcChannel channel = GrpcChannel.ForAddress(grpc))
        {
            foreach (GoodCall call in _calls)
                Count(ref _goodSent, await call.TryAsync(channel));
        }
        foreach (HostileRequest request in HostileRequest.All.Concat(HostileRequest.Administration))
            Count(ref _hostileSent, await request.TryAsync(client, random));
        await HostileConnection.Kill(_address, random);
        Count(ref _hostileSent, await HostileConnection.Babble(_address, random));
    }

    /// <summary>All clients until the end.</summary>
    public async Task Run(CancellationToken cancellationToken)
    {
        Func<HttpClient, Random, Task> good = async (client, random) =>
            Count(ref _goodSent, await _good[random.Next(_good.Length)].TryAsync(client));
        Func<HttpClient, Random, Task> hostile = async (client, random) => Count(ref _hostileSent, random.Next(4) switch
        {
            0 when random.Next(2) == 0 => await HostileConnection.Babble(_address, random),
            0 => await Killed(random),
            _ => await HostileRequest.All[random.Next(HostileRequest.All.Count)].TryAsync(client, random),
        });
        Func<HttpClient, Random, Task> administrator = async (client, random) =>
        {
            foreach (HostileRequest request in HostileRequest.Administration)
                Count(ref _hostileSent, await request.TryAsync(client, random));
        };
        Func<HttpClient, Random, Task>[] clients =
            [.. Enumerable.Repeat(good, GoodClients), .. Enumerable.Repeat(hostile, HostileClients)];
        var pause = rate > 0 ? TimeSpan.FromSeconds((clients.Length + Callers) / rate) : TimeSpan.Zero;
        var longPause = TimeSpan.FromSeconds(rate > 0 ? 200 / rate : 4);
        await Task.WhenAll(
        [
            .. clients.Select((deed, seed) => Task.Run(
                () => Repeat(deed, new Random(seed), pause, cancellationToken), CancellationToken.None)),
            .. Enumerable.Range(0, Callers).Select(seed => Task.Run(
                () => Repeat(new Random(100 + seed), pause, cancellationToken), CancellationToken.None)),
            Task.Run(
                () => Repeat(administrator, new Random(0), longPause, cancellationToken), CancellationToken.None),
            .. new[] { HostileConnection.SlowHeaders, HostileConnection.SlowBody, HostileConnection.Deaf }
                .Select(slow => Task.Run(() => Repeat(slow, cancellationToken), CancellationToken.None)),
        ]);
    }

    private static byte[][] Photos() =>
        [Workplace.Photo(), Workplace.Photo(20, 90), Jpeg(Workplace.Photo(97, 129))];

    private static GoodCall[] GoodCalls(string model)
    {
        using Segmenter library = Segmenter.Load(model);
        return [.. Photos().SelectMany(photo => GoodCall.For(photo, library))];
    }

    private static GoodRequest[] GoodRequests(string model)
    {
        using Segmenter library = Segmenter.Load(model);
        return [.. Photos().SelectMany(photo => GoodRequest.For(photo, library)), .. GoodRequest.Looks()];
    }

    private static byte[] Jpeg(byte[] photo)
    {
        using Image image = Image.Load(photo);
        using var stream = new MemoryStream();
        image.SaveJpeg(stream);
        return stream.ToArray();
    }

    private async Task<string?> Killed(Random random)
    {
        await HostileConnection.Kill(_address, random);
        return null;
    }

    private async Task Repeat(
        Func<HttpClient, Random, Task> deed, Random random, TimeSpan pause, CancellationToken cancellationToken)
    {
        using HttpClient client = Connect();
        while (!cancellationToken.IsCancellationRequested)
        {
            await deed(client, random);
            await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Calls, on a connection that ends with one in a hundred of them.</summary>
    private async Task Repeat(Random random, TimeSpan pause, CancellationToken cancellationToken)
    {
        const int callsOfConnection = 100;
        while (!cancellationToken.IsCancellationRequested)
        {
            using GrpcChannel channel = GrpcChannel.ForAddress(grpc);
            for (int i = 0; i < callsOfConnection && !cancellationToken.IsCancellationRequested; i++)
            {
                Count(ref _goodSent, await _calls[random.Next(_calls.Length)].TryAsync(channel));
                await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Repeat(
        Func<IPEndPoint, CancellationToken, Task<string?>> slow, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
            Count(ref _hostileSent, await slow(_address, cancellationToken));
    }

    private void Count(ref long sent, string? fault)
    {
        Interlocked.Increment(ref sent);
        if (fault is not null)
            Faults.Enqueue(fault.Length > 500 ? fault[..500] : fault);
    }

    private HttpClient Connect() => new(new SocketsHttpHandler()) { BaseAddress = server };
}
