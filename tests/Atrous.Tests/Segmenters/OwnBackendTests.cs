using Atrous.Backends;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Verification;

namespace Atrous.Tests.Segmenters;

/// <summary>A network on a backend that the caller wrote.</summary>
public sealed class OwnBackendTests(GeneratedModel model)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_runs_the_network_and_outlives_the_segmenter()
    {
        using var photo = new Image(49, 49, 3);
        new Random(3).NextBytes(photo.Pixels);
        using Segmenter reference = Segmenter.Load(model.Path, new SegmenterOptions { Device = "reference" });
        using var own = new Counting();
        for (int i = 0; i < 2; i++)
        {
            using Segmenter segmenter =
                await Segmenter.LoadAsync(model.Path, new SegmenterOptions { Backend = own }, Token);
            Assert.Equal("counting", segmenter.Device);
            Assert.Equal(
                reference.Segment(photo, cancellationToken: Token).Labels.ToArray(),
                segmenter.Segment(photo, cancellationToken: Token).Labels.ToArray());
        }
        Assert.False(own.IsDisposed);
        Assert.True(own.Compiled >= 2, $"{own.Compiled} networks were compiled");
    }

    [Fact]
    public void The_profiler_tells_the_layers_of_the_cpu_and_nothing_of_a_backend_that_keeps_silent()
    {
        using var photo = new Image(49, 49, 3);
        using Segmenter cpu = Segmenter.Load(model.Path, new SegmenterOptions { Device = "cpu" });
        var profiler = new NetworkProfiler(cpu);
        Assert.Null(profiler.Stages([photo], Token));
        Assert.NotEmpty(profiler.Layers([photo], Token)!);
        using Segmenter reference = Segmenter.Load(model.Path, new SegmenterOptions { Device = "reference" });
        Assert.Null(new NetworkProfiler(reference).Layers([photo], Token));
    }

    [Fact]
    public async Task Loading_can_be_cancelled() => await Assert.ThrowsAnyAsync<OperationCanceledException>(
        () => Segmenter.LoadAsync(model.Path, cancellationToken: new CancellationToken(true)));

    [Fact]
    public void The_registry_opens_what_it_lists_and_refuses_the_rest_by_name()
    {
        foreach (DeviceInfo device in BackendRegistry.Devices().Where(device => device.Available))
        {
            using IBackend backend = BackendRegistry.Open(device.Name);
            Assert.Equal(device.Name, backend.Name);
        }
        var unknown = Assert.Throws<UnavailableException>(() => BackendRegistry.Open("gpu"));
        Assert.Contains("auto, cpu[:n,...|:all], cuda[:n,...|:all] and reference", unknown.Message);
        Assert.Contains("fp16",
            Assert.Throws<UnavailableException>(() => BackendRegistry.Open("reference", Precision.Fp16)).Message);
    }

    /// <summary>Hands all work to the reference and counts it.</summary>
    private sealed class Counting : IBackend
    {
        private readonly IBackend _backend = BackendRegistry.Open("reference");

        public int Compiled { get; private set; }

        public bool IsDisposed { get; private set; }

        public string Name => "counting";

        public IExecutable Compile(NetworkGraph graph)
        {
            Compiled++;
            return _backend.Compile(graph);
        }

        public void Dispose()
        {
            IsDisposed = true;
            _backend.Dispose();
        }
    }
}
