using System.Collections.Concurrent;
using Atrous.Backends;
using Atrous.Cuda.Tests.Support;
using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving;
using Atrous.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>A model on two GPUs, one of which may die.</summary>
public sealed class ReplicaTests : IDisposable
{
    private readonly GeneratedModel _model;

    public ReplicaTests(GeneratedModel model)
    {
        SoftwareDevice.Require();
        SoftwareDevice.SetCount(2);
        _model = model;
    }

    public void Dispose()
    {
        if (SoftwareDevice.Used)
            SoftwareDevice.Reset();
    }

    [Theory]
    [InlineData("cuda:0,1", "cuda:0,1")]
    [InlineData("cuda:1,0", "cuda:1,0")]
    [InlineData("cuda:all", "cuda:0,1")]
    [InlineData("cuda:1", "cuda:1")]
    public void Masks_are_those_of_one_gpu(string device, string name)
    {
        using Image photo = Photo();
        ushort[] expected;
        using (Segmenter one = Load("cuda:0"))
            expected = one.Segment(photo).Labels.ToArray();
        using Segmenter segmenter = Load(device);
        Assert.Equal(name, segmenter.Device);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
            Assert.Equal(expected, segmenter.Segment(photo).Labels.ToArray()));
    }

    [Fact]
    public void Cuda_all_is_the_one_gpu_that_there_is()
    {
        SoftwareDevice.SetCount(1);
        using Segmenter segmenter = Load("cuda:all");
        Assert.Equal("cuda:0", segmenter.Device);
    }

    [Theory]
    [InlineData("cuda:0,0", "The device 'cuda:0,0' names a GPU twice; name each once.")]
    [InlineData("cuda:0,7", "There is no device 'cuda:7'; there are cuda:0, cuda:1.")]
    [InlineData("cuda:0,", "There is no device 'cuda:'; there are cuda:0, cuda:1.")]
    [InlineData("cuda:0,all", "There is no device 'cuda:all'; there are cuda:0, cuda:1.")]
    public void A_name_that_makes_no_sense_is_said(string device, string sentence)
    {
        Assert.Equal(sentence, Assert.Throws<UnavailableException>(() => Load(device)).Message);
        Assert.Equal(0, SoftwareDevice.Count(Live.Contexts));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_gpu_that_dies_is_taken_out_and_no_mask_is_lost(int dying)
    {
        var log = new Lines();
        using Image photo = Photo();
        using Segmenter segmenter = Segmenter.Load(
            _model.Path, new SegmenterOptions { Device = "cuda:all", Logger = log });
        ushort[] expected = segmenter.Segment(photo).Labels.ToArray();
        for (int i = 0; i < 4; i++)
            segmenter.Segment(photo);
        // In the middle of a run, some runs later.
        SoftwareDevice.Lose(dying, 150);
        Parallel.For(0, 12, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
            Assert.Equal(expected, segmenter.Segment(photo).Labels.ToArray()));
        string said = Assert.Single(log.Said, line => line.Contains("stopped working", StringComparison.Ordinal));
        Assert.StartsWith($"The device cuda:{dying} has stopped working in this process (", said);
        Assert.EndsWith("cuda:0,1 goes on with the other one.", said);
        // Another shape is planned on the one that is left.
        using var larger = new Image(41, 33, 3);
        segmenter.Segment(larger);
        SoftwareDevice.Lose(1 - dying, 1);
        AtrousException e = Assert.ThrowsAny<AtrousException>(() => segmenter.Segment(photo));
        Assert.StartsWith($"The device cuda:{1 - dying} has stopped working in this process (", e.Message);
        // What is dead takes nothing back; here it must.
        SoftwareDevice.Reset();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_service_under_load_loses_no_request_with_a_gpu_and_its_metrics_say_so(int dying)
    {
        const int Callers = 6, Requests = 4;
        using Image photo = Photo();
        await using ServiceHost host = await ServiceHost.Start(options => options.Models.Add("m", new ModelOptions
        {
            Path = _model.Path,
            Segmenter = new SegmenterOptions { Device = "cuda:all" },
            // The software device would take a minute for the usual size.
            WarmUp = [(photo.Height, photo.Width)],
        }));
        ushort[] expected = (await host.Segmenter.SegmentAsync(photo)).Labels.ToArray();
        Assert.Equal((2, 0), host.Devices("m"));
        // In the middle of a run, while others wait.
        SoftwareDevice.Lose(dying, 400);
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < Requests; i++)
            {
                Segmentation mask = await host.Segmenter.SegmentAsync(photo);
                Assert.Equal(expected, mask.Labels.ToArray());
            }
        })));
        Assert.Equal((1, 1), host.Devices("m"));
        ModelStatistics statistics = host.Segmenter.Statistics;
        Assert.Equal((1 + Callers * Requests, 0L), (statistics.Succeeded.Count, statistics.Failed.Count));
        Assert.Equal(ModelState.Ready, host.Catalog.StatusOf("m").State);
        // What is dead takes nothing back; here it must.
        SoftwareDevice.Reset();
    }

    [Fact]
    public void Segment_goes_on_with_the_other_gpu()
    {
        using var place = new Place();
        for (int i = 0; i < 6; i++)
        {
            using Image photo = Photo(i + 1);
            photo.SavePng(Path.Combine(place.Folder, $"{i}.png"));
        }
        Tool.Finish(Start("cuda:0", "one", "0:0"), []).Exits(0);
        ToolResult two = Tool.Finish(Start("cuda:all", "two", "1:250"), []).Exits(0);
        Assert.Contains("on cuda:0,1, fp32", two.Error);
        Assert.Contains("warning: The device cuda:1 has stopped working in this process", two.Error);
        for (int i = 0; i < 6; i++)
            Assert.Equal(Mask("one", i), Mask("two", i));

        byte[] Mask(string folder, int i) =>
            File.ReadAllBytes(Path.Combine(place.Folder, folder, $"{i}.mask.png"));

        System.Diagnostics.Process Start(string device, string output, string lose) => Tool.Start(
            Repository.Root,
            [
                new("ATROUS_CUDA_PATH", SoftwareDevice.Folder),
                new("ATROUS_DEVICE_KERNELS", SoftwareDevice.HostKernels),
                new("ATROUS_DEVICE_COUNT", "2"), new("ATROUS_DEVICE_LOSE", lose == "0:0" ? "7:1" : lose),
            ],
            ["segment", .. Enumerable.Range(0, 6).Select(i => Path.Combine(place.Folder, $"{i}.png")), "--model",
                _model.Path, "--device", device, "-o", Path.Combine(place.Folder, output)]);
    }

    private Segmenter Load(string device) => Segmenter.Load(_model.Path, new SegmenterOptions { Device = device });

    private static Image Photo(int seed = 1)
    {
        var photo = new Image(33, 41, 3);
        new Random(seed).NextBytes(photo.Pixels);
        return photo;
    }

    private sealed class Place : IDisposable
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("atrous-tests-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Said.Enqueue(formatter(state, exception));
    }
}
