using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>A server with the small model "street", on loopback in this process, for the tests of a class.</summary>
public sealed class ProtocolServer(GeneratedModel model) : IAsyncLifetime
{
    /// <summary>Of a body, as it is sent and again after decompression.</summary>
    public const int MaxBodyBytes = 1 << 20;

    /// <summary>Of all pictures of a request.</summary>
    public const int MaxPixels = 1 << 16;

    /// <summary>Pictures that may wait, so also pictures of a request.</summary>
    public const int QueueLimit = 16;

    private readonly HttpClientHandler _handler = new()
    {
        AutomaticDecompression = System.Net.DecompressionMethods.None,
    };
    private AtrousServer? _server;
    private HttpClient? _http;

    internal AtrousServer Server => _server!;

    public Uri Address => Server.Address;

    /// <summary>Speaks to the server as it is; nothing is decompressed behind the test's back.</summary>
    public HttpClient Http => _http!;

    public async ValueTask InitializeAsync()
    {
        _server = AtrousServer.Create(Options(model.Path, admin: false));
        await _server.StartAsync();
        await _server.Models.WhenLoadedAsync();
        _http = new HttpClient(_handler) { BaseAddress = Address };
        await ExpectAsync(Workplace.Photo());
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        _handler.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>What such a server is made of.</summary>
    internal static ServerOptions Options(string model, bool admin) => new()
    {
        Port = 0,
        Admin = admin,
        LogLevel = LogLevel.Error,
        // Only ever waited for until a test cuts it short.
        DrainDelay = TimeSpan.FromMinutes(1),
        Limits = new ServerLimits { MaxBodyBytes = MaxBodyBytes },
        Models = options =>
        {
            options.MaxPixels = MaxPixels;
            options.Models.Add("street", new ModelOptions
            {
                Path = model,
                // One plan is kept, whatever was asked for before: so it can be counted what a test leaves behind.
                Segmenter = new SegmenterOptions { Threads = 1, CachedShapes = 1 },
                Batching = new BatchingOptions { QueueLimit = QueueLimit, MaxBatch = 1 },
                WarmUp = [],
            });
        },
    };

    /// <summary>What the library makes of a picture: the truth that answers are compared with.</summary>
    public async Task<Segmentation> ExpectAsync(byte[] photo)
    {
        using Image image = Image.Load(photo);
        return await Server.Models.Default.SegmentAsync(image, new SegmentRequest { Confidence = true });
    }
}
