using System.Net;
using Atrous.Backends;
using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Server.V1;
using Atrous.Tensors;
using Atrous.Tests.Cli;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Atrous.Tests.Serving.V1;

/// <summary>
/// POST /v1/segment before a model that cannot answer now: its exceptions as HTTP, and the client that goes away.
/// </summary>
public sealed class BusySegmenterTests
{
    /// <summary>What is thrown, the answer's status, and its Retry-After.</summary>
    public static TheoryData<Exception, int, int?> Failures => new()
    {
        { new QueueFullException("The queue is full; try again later.", TimeSpan.FromSeconds(2.2)), 503, 3 },
        { new ModelNotReadyException("The model is not ready.", ModelState.Loading), 503, 1 },
        { new RequestTimeoutException("There was no result in time."), 504, null },
        { new ImageException("The picture has 4 channels; the model takes 3."), 400, null },
        { new RequestException("There is no priority 9."), 400, null },
        { new UnknownModelException("There is no model 'm'."), 404, null },
        { new MemoryException("Memory ran out."), 503, 1 },
        { new UnavailableException("There is no device 'cuda:0'."), 503, null },
        { new ModelException("The checkpoint 'secret.pth' is broken."), 500, null },
        { new OutputException("'secret.png' cannot be written."), 500, null },
        { new DeviceException("The device failed."), 503, 1 },
        { new DeviceLostException("The device is gone.", new InvalidOperationException()), 500, null },
        { new DownloadException("The server does not answer."), 503, 1 },
        { new InternalErrorException("libatrous failed where it never should."), 500, null },
        { new AtrousException("This kind has no row."), 500, null },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task What_the_model_throws_becomes_a_problem(Exception failure, int status, int? retryAfter)
    {
        await using WebApplication application =
            await Start(new Stub((_, _) => Task.FromException<SegmentedPhoto>(failure)));
        using var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()) };
        using HttpResponseMessage response =
            await client.PostAsync("v1/segment", new ByteArrayContent(Workplace.Photo()));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(DetailOf(failure, status), await SegmentServer.ProblemOf(response));
        Assert.Equal(retryAfter, response.Headers.RetryAfter?.Delta?.TotalSeconds);
    }

    /// <summary>The sentence that a client reads: what is wrong with the service's own files is not for it.</summary>
    public static string DetailOf(Exception failure, int status) =>
        status == 500 ? "An internal error; the server's log tells more." : failure.Message;

    [Fact]
    public async Task A_model_that_accepts_nothing_refuses_before_the_body_is_read()
    {
        var segmenter = new Stub((_, _) => throw new InvalidOperationException("reached")) { Full = true };
        await using WebApplication application = await Start(segmenter);
        using var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()) };
        using HttpResponseMessage response =
            await client.PostAsync("v1/segment", new ByteArrayContent("no picture"u8.ToArray()));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Fact]
    public async Task A_client_that_goes_away_cancels_its_request()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The test must not go on within the server's callback, which frees the body after it.
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication application = await Start(new Stub(async (_, cancellationToken) =>
        {
            started.SetResult();
            using CancellationTokenRegistration registration = cancellationToken.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException("Nothing else ends the wait.");
        }));
        using var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()) };
        using var impatience = new CancellationTokenSource();
        Task<HttpResponseMessage> request =
            client.PostAsync("v1/segment", new ByteArrayContent(Workplace.Photo()), impatience.Token);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        impatience.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Timeout_and_priority_reach_the_model()
    {
        SegmentRequest? seen = null;
        await using WebApplication application = await Start(new Stub((request, _) =>
        {
            seen = request;
            return Task.FromException<SegmentedPhoto>(new RequestTimeoutException("Seen."));
        }));
        using var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()) };
        await client.PostAsync("v1/segment?timeout=0.25&priority=1", new ByteArrayContent(Workplace.Photo()));
        Assert.Equal(new SegmentRequest { Timeout = TimeSpan.FromSeconds(0.25), Priority = 1 }, seen);
    }

    private static async Task<WebApplication> Start(Stub segmenter)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IModelCatalog>(segmenter);
        builder.Services.AddSingleton(Options.Create(new AtrousOptions()));
        builder.Services.AddSingleton(new ServerOptions { Models = _ => { } });
        builder.Services.AddSingleton<BodyBudget>();
        SegmentEndpoints.AddServices(builder.Services);
        WebApplication application = builder.Build();
        application.UseMiddleware<Failures>();
        SegmentEndpoints.Map(application);
        await application.StartAsync();
        return application;
    }

    /// <summary>A catalog of one model that does as told.</summary>
    private sealed class Stub(Func<SegmentRequest?, CancellationToken, Task<SegmentedPhoto>> segment)
        : IModelCatalog, IServedModel
    {
        public bool Full { get; init; }

        public IServedModel Default => this;

        public IReadOnlyList<ModelStatus> Models => [StatusOf(Name)];

        public bool IsReady => true;

        public string Name => "stub";

        public ModelInfo Info => throw new NotSupportedException();

        public string Device => "cpu";

        public Precision Precision => Precision.Fp32;

        public BatchingOptions Batching { get; } = new();

        public ModelStatistics Statistics { get; } = new();

        public IServedModel Get(string? name) => this;

        public ModelStatus StatusOf(string name) => new(Name, ModelState.Ready, "", 1);

        public Task LoadAsync(string name, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task UnloadAsync(string name, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task ReloadAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task WhenLoadedAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<Segmentation> SegmentAsync(
            Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<Segmentation>> SegmentAsync(
            IReadOnlyList<Image> photos, SegmentRequest? request = null,
            CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task<SegmentedPhoto> SegmentAsync(
            ReadOnlyMemory<byte> file, SegmentRequest? request = null, CancellationToken cancellationToken = default) =>
            segment(request, cancellationToken);

        public Task<Tensor> ProbabilitiesAsync(
            Image photo, SegmentRequest? request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<NetworkResult> InferAsync(
            Tensor input, SegmentRequest? request = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public void EnsureAccepting()
        {
            if (Full)
                throw new QueueFullException("The queue is full; try again later.", TimeSpan.FromSeconds(1));
        }
    }
}
