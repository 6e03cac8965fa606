using System.Net;
using System.Net.Sockets;
using System.Text;
using Atrous.Hosting;
using Atrous.Hosting.Requests;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Server.OpenInference;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving;

/// <summary>
/// Several pictures of a request, and answers that are larger than a mask, have their part of the pictures' memory.
/// </summary>
public sealed class AnswerRoomTests(GeneratedModel model)
{
    private const int MaxPixels = 1 << 16, Coarse = 16;

    public static TheoryData<string> Inputs => ["pixels", "files"];

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Pictures_hold_memory_until_their_masks_are_read(string kind)
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        var budget = host.Services.GetRequiredService<PictureBudget>();
        GatedWork busy = await host.Occupy();
        Task<InferredMasks> running =
            InferenceOf(host, budget).RunAsync(Request(kind), SegmentRequest.Default, default);
        Assert.True(budget.Held > 0);
        busy.Open();
        using (InferredMasks masks = await running)
        {
            Assert.Equal(2, masks.Masks.Count);
            Assert.True(budget.Held > 0);
        }
        Assert.Equal(0, budget.Held);
    }

    /// <summary>A grey picture before one of four channels says nothing of it.</summary>
    [Fact]
    public async Task The_widest_picture_of_all_counts()
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        var held = new List<long>();
        foreach ((int first, int second) in new[] { (1, 4), (4, 1), (1, 1) })
        {
            var budget = new PictureBudget(1 << 20);
            GatedWork busy = await host.Occupy();
            Task<InferredMasks> running = InferenceOf(host, budget).RunAsync(
                Read(TwoFiles(Convert.ToBase64String(Png(first)), Convert.ToBase64String(Png(second)))),
                SegmentRequest.Default, default);
            held.Add(budget.Held);
            busy.Open();
            (await running).Dispose();
        }
        Assert.Equal(held[0], held[1]);
        Assert.Equal(2 * 8 * 8 * 3, held[0] - held[2]);
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Pictures_wait_for_memory(string kind)
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        var budget = new PictureBudget(1 << 20);
        IDisposable all = await budget.TakeAsync(budget.Most, default);
        Inference inference = InferenceOf(host, budget);
        await Assert.ThrowsAsync<RequestTimeoutException>(() => inference.RunAsync(
            Request(kind), new SegmentRequest { Timeout = TimeSpan.FromMilliseconds(20) }, default));
        using var cancellation = new CancellationTokenSource();
        Task<InferredMasks> given = inference.RunAsync(Request(kind), SegmentRequest.Default, cancellation.Token);
        Task<InferredMasks> waiting = inference.RunAsync(Request(kind), SegmentRequest.Default, default);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        Assert.False(waiting.IsCompleted);
        all.Dispose();
        (await waiting).Dispose();
        Assert.Equal((0, 0), (budget.Held, budget.Waiting));
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task More_than_all_memory_is_refused(string kind)
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        var e = await Assert.ThrowsAsync<PictureTooLargeException>(() => InferenceOf(host, new PictureBudget(10))
            .RunAsync(Request(kind), SegmentRequest.Default, default));
        Assert.Contains("pictures and masks of this request", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json", HttpStatusCode.OK)]
    [InlineData("png", HttpStatusCode.OK)]
    [InlineData("rle", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("polygons", HttpStatusCode.RequestEntityTooLarge)]
    public async Task Outlines_are_counted(string format, HttpStatusCode status)
    {
        await using AtrousServer server = AtrousServer.Create(new ServerOptions
        {
            Port = 0,
            LogLevel = LogLevel.Error,
            Models = options =>
            {
                options.MaxPictureBytes = 1;
                options.AddModel("m", model.Path);
            },
        });
        await server.StartAsync();
        await server.Models.WhenLoadedAsync();
        using var client = new HttpClient { BaseAddress = server.Address };
        using HttpResponseMessage response =
            await client.PostAsync($"v1/segment?format={format}", new ByteArrayContent(Workplace.Photo()));
        Assert.Equal(status, response.StatusCode);
    }

    /// <summary>
    /// Fast enough for a connection to live, too slow for the memory that others wait for. All at once, since each of
    /// them is a wait of some seconds.
    /// </summary>
    [Fact]
    public Task Who_reads_slowly_holds_no_memory_for_ever() => Task.WhenAll(
        ReadSlowly("v2/models/m/infer"), ReadSlowly("v1/segment?format=png"), ReadSlowly("v1/segment?format=overlay"));

    private async Task ReadSlowly(string path)
    {
        await using AtrousServer server = AtrousServer.Create(new ServerOptions
        {
            Port = 0,
            LogLevel = LogLevel.None,
            Limits = new ServerLimits
            {
                BodyTimeout = TimeSpan.FromSeconds(5),
                MinAnswerBytesPerSecond = 1e9,
            },
            Models = options => options.AddModel("m", model.Path),
        });
        await server.StartAsync();
        await server.Models.WhenLoadedAsync();
        var budget = server.Services.GetRequiredService<PictureBudget>();
        // Noise, which packs to no less than itself, and coarse enough for a mask to be some of it too.
        using var photo = new Image(1600, 2000, 3);
        var random = new Random(1);
        var colours = new byte[photo.Width / Coarse * 3];
        for (int y = 0; y < photo.Height; y++)
        {
            if (y % Coarse == 0)
                random.NextBytes(colours);
            Span<byte> row = photo.Row(y);
            for (int x = 0; x < row.Length; x++)
                row[x] = (byte)(colours[x / 3 / Coarse * 3 + x % 3] ^ random.Next(4));
        }
        var file = new MemoryStream();
        photo.SavePng(file);
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = SmallWindow })
        {
            BaseAddress = server.Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        byte[] body = path.StartsWith("v1", StringComparison.Ordinal) ? file.ToArray() : Encoding.UTF8.GetBytes(
            "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\""
            + Convert.ToBase64String(file.ToArray()) + "\"]}]}");
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        using HttpResponseMessage response =
            await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(budget.Held, response.Content.Headers.ContentLength ?? 1, long.MaxValue);
        using Stream answer = await response.Content.ReadAsStreamAsync();
        var some = new byte[256];
        // A small part of the answer at most, before the test gives up.
        for (int reads = 0; budget.Held > 0 && reads < 100; reads++)
        {
            await Task.Delay(200);
            try
            {
                await answer.ReadExactlyAsync(some);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                break; // closed, and the memory is free at once or a moment later
            }
        }
        Assert.True(SpinWait.SpinUntil(() => budget.Held == 0, TimeSpan.FromMinutes(1)));
        // All of it would end the loop above too.
        await Assert.ThrowsAnyAsync<Exception>(() => answer.CopyToAsync(Stream.Null));
    }

    /// <summary>A connection that holds little of an answer by itself.</summary>
    private static async ValueTask<Stream> SmallWindow(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        const int tcp = 6, longestSegment = 2;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveBufferSize = 4096,
        };
        // Of the segments that loopback usually takes, Linux keeps some twenty for who sends: more than a mask.
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(tcp, longestSegment, BitConverter.GetBytes(536));
        await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static Inference InferenceOf(ServiceHost host, PictureBudget budget) =>
        new(host.Segmenter, new AnswerRoom(budget, TimeProvider.System), MaxPixels, new AnswerCost(HeldPerPixel: 0));

    private static InferRequest Request(string kind)
    {
        string photo = Convert.ToBase64String(Workplace.Photo());
        string tensor = kind == "pixels"
            ? $"\"datatype\":\"UINT8\",\"shape\":[2,8,8,3],\"data\":[{string.Join(',', new byte[2 * 8 * 8 * 3])}]"
            : TwoFiles(photo, photo);
        return Read(tensor);
    }

    private static string TwoFiles(string one, string two) =>
        $"\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"{one}\",\"{two}\"]";

    private static InferRequest Read(string tensor) => InferRequestReader.Read(
        Encoding.UTF8.GetBytes($"{{\"inputs\":[{{\"name\":\"image\",{tensor}}}]}}"), null, maxDepth: 64);

    private static byte[] Png(int channels)
    {
        using var picture = new Image(8, 8, channels);
        var file = new MemoryStream();
        picture.SavePng(file);
        return file.ToArray();
    }
}
