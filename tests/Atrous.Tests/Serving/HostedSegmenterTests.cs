using System.Diagnostics;
using System.Diagnostics.Metrics;
using Atrous.Catalog;
using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Tensors;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Atrous.Tests.Serving;

/// <summary>AddAtrous in a host: what is injected, how it answers, what is measured.</summary>
public sealed class HostedSegmenterTests(GeneratedModel model)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task The_default_model_is_injected_and_others_by_their_keys()
    {
        await using ServiceHost host = await ServiceHost.Start(options => options
            .AddModel("first", model.Path).AddModel("second", model.Path, new SegmenterOptions { OutputStride = 8 }));
        Assert.Equal("first", host.Segmenter.Name);
        IServedModel second = host.Services.GetRequiredKeyedService<IServedModel>("second");
        Assert.Equal(8, second.Info.OutputStride);
        Assert.Equal("cpu", second.Device);
        Assert.Equal(Precision.Fp32, second.Precision);
        Assert.Same(second, host.Catalog.Get("second"));
        UnknownModelException unknown = Assert.Throws<UnknownModelException>(() => host.Catalog.Get("third\n"));
        Assert.Equal("There is no model 'third?'; there are first, second.", unknown.Message);
        Assert.All(host.Catalog.Models, status =>
            Assert.Equal((ModelState.Ready, 1, ""), (status.State, status.Generation, status.Reason)));
    }

    [Fact]
    public async Task The_model_in_the_box_has_its_own_name()
    {
        await using ServiceHost host = await ServiceHost.Start(
            options => options.AddDefaultModel(batching: new() { MaxBatch = 2 }).AddModel("own", model.Path));
        Assert.Equal("atrous-street", host.Segmenter.Name);
        Assert.Equal(2, host.Segmenter.Batching.MaxBatch);
        Assert.Equal(11, host.Segmenter.Info.Classes);
        Assert.Same(host.Segmenter, host.Services.GetRequiredKeyedService<IServedModel>(DefaultModel.Name));
        Assert.Throws<ArgumentException>(() => new AtrousOptions().AddDefaultModel().AddDefaultModel());
    }

    [Fact]
    public async Task Masks_are_the_library_s_own_alone_in_batches_and_from_files()
    {
        using Segmenter library = Segmenter.Load(model.Path);
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        byte[] file = Workplace.Photo();
        using Image photo = Image.Load(file), other = Image.Load(Workplace.Photo(65, 41));
        ushort[] expected = library.Segment(photo).Labels.ToArray();
        Segmentation one = await host.Segmenter.SegmentAsync(photo, new SegmentRequest { Confidence = true });
        Assert.Equal(expected, one.Labels.ToArray());
        Assert.Equal(expected.Length, one.Confidence.Length);
        IReadOnlyList<Segmentation> many = await host.Segmenter.SegmentAsync([photo, other, photo]);
        Assert.Equal([(33, 37), (65, 41), (33, 37)], many.Select(mask => (mask.Height, mask.Width)));
        Assert.Equal(expected, many[2].Labels.ToArray());
        using SegmentedPhoto read = await host.Segmenter.SegmentAsync(file);
        Assert.Equal(expected, read.Mask.Labels.ToArray());
        Assert.Equal(photo.Pixels.ToArray(), read.Photo.Pixels.ToArray());
        Assert.True(read.Timings is { BatchSize: 1 } && read.Timings.Network > TimeSpan.Zero
            && read.Timings.Decode > TimeSpan.Zero);
        using var input = new Tensor(new Shape(1, 65, 65, 3));
        input.Image<float>(0).Clear();
        using NetworkResult result = await host.Segmenter.InferAsync(input);
        Assert.Equal(5, result.Output.Shape.Channels);
        Assert.Empty(await host.Segmenter.SegmentAsync([]));
    }

    [Fact]
    public async Task What_waits_runs_in_one_batch_and_the_statistics_tell()
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        GatedWork busy = await host.Occupy();
        Task<SegmentedPhoto>[] calls =
            [.. Enumerable.Range(0, 4).Select(_ => host.Segmenter.SegmentAsync(Workplace.Photo()))];
        Assert.True(
            SpinWait.SpinUntil(
                () => ((Atrous.Hosting.Requests.ServedModel)host.Segmenter).Life.Queue!.Ready.Count == 4, Patience));
        Assert.Equal(4, host.Segmenter.Statistics.QueueLength);
        busy.Open();
        foreach (Task<SegmentedPhoto> call in calls)
        {
            using SegmentedPhoto result = await call.WaitAsync(Patience);
            Assert.Equal(4, result.Timings.BatchSize);
        }
        ModelStatistics statistics = host.Segmenter.Statistics;
        Assert.Equal((4, 4, 0), (statistics.Succeeded.Count, statistics.Queue.Count, statistics.Failed.Count));
        BatchStatistics batch = Assert.Single(statistics.Batches, batch => batch.BatchSize == 4);
        Assert.Equal(1, batch.Network.Count);
        Assert.NotNull(statistics.LastInference);
    }

    [Fact]
    public async Task A_stream_of_pictures_fills_batches()
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        using Image photo = Image.Load(Workplace.Photo());
        GatedWork busy = await host.Occupy();
        await using IAsyncEnumerator<Segmentation> masks =
            host.Segmenter.SegmentAsync(Repeated(photo, 4), maxConcurrency: 4).GetAsyncEnumerator();
        ValueTask<bool> first = masks.MoveNextAsync();
        Assert.True(SpinWait.SpinUntil(() => host.Segmenter.Statistics.QueueLength == 4, Patience));
        busy.Open();
        int count = 0;
        for (bool more = await first; more; more = await masks.MoveNextAsync())
            count++;
        Assert.Equal(4, count);
        Assert.Single(host.Segmenter.Statistics.Batches, batch => batch.BatchSize == 4);

        static async IAsyncEnumerable<Image> Repeated(Image photo, int times)
        {
            for (int i = 0; i < times; i++)
            {
                await Task.Yield();
                yield return photo;
            }
        }
    }

    [Fact]
    public async Task What_cannot_be_served_is_refused_by_kind()
    {
        await using ServiceHost host = await ServiceHost.Start(options =>
        {
            options.MaxPixels = 2000;
            options.AddModel("m", model.Path, batching: new BatchingOptions { QueueLimit = 4 });
        });
        IServedModel segmenter = host.Segmenter;
        Assert.Contains("at most 2000 are taken",
            (await Assert.ThrowsAsync<PictureTooLargeException>(
                () => segmenter.SegmentAsync(Workplace.Photo(50, 41)))).Message);
        await Assert.ThrowsAsync<ImageException>(() => segmenter.SegmentAsync(new byte[] { 1, 2, 3 }));
        await Assert.ThrowsAsync<ImageException>(() => segmenter.SegmentAsync(Workplace.Photo().AsMemory(..200)));
        using var photo = new Image(8, 8, 3);
        await Assert.ThrowsAsync<RequestException>(
            () => segmenter.SegmentAsync([photo, photo, photo, photo, photo]));
        await Assert.ThrowsAsync<RequestException>(
            () => segmenter.SegmentAsync(photo, new SegmentRequest { Priority = 9 }));
        await Assert.ThrowsAsync<RequestException>(
            () => segmenter.SegmentAsync(photo, new SegmentRequest { Timeout = TimeSpan.Zero }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => segmenter.SegmentAsync(photo, cancellationToken: new CancellationToken(true)));
        GatedWork busy = await host.Occupy();
        Assert.Contains("20 ms", (await Assert.ThrowsAsync<RequestTimeoutException>(
            () => segmenter.SegmentAsync(
                photo, new SegmentRequest { Timeout = TimeSpan.FromMilliseconds(20) }))).Message);
        Task<IReadOnlyList<Segmentation>> waiting = segmenter.SegmentAsync([photo, photo, photo, photo]);
        await Assert.ThrowsAsync<QueueFullException>(() => segmenter.SegmentAsync(photo));
        Assert.Throws<QueueFullException>(segmenter.EnsureAccepting);
        busy.Open();
        Assert.Equal(4, (await waiting.WaitAsync(Patience)).Count);
        segmenter.EnsureAccepting();
    }

    [Fact]
    public async Task Options_that_contradict_themselves_stop_the_start_with_a_sentence_each()
    {
        var e = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            () => ServiceHost.Start(options =>
        {
            options.DefaultModel = "none";
            options.Models["bad name"] = new ModelOptions { Path = " ", Weight = 0 };
            options.AddModel("b", "file", batching: new BatchingOptions
            {
                MaxBatch = 8,
                QueueLimit = 4,
                MaxDelay = TimeSpan.FromHours(1),
                Timeout = TimeSpan.Zero,
                PriorityLevels = 2,
                DefaultPriority = 3,
            });
        }));
        string[] parts =
        [
            "'none' is not among the models", "'bad name': a name has", "'bad name': it has no path", "Weight is 0",
            "'b': Batching.QueueLimit (4) is below MaxBatch (8)", "MaxDelay is", "Timeout is", "DefaultPriority is 3",
        ];
        Assert.All(
            parts, part => Assert.Single(e.Failures, failure => failure.Contains(part, StringComparison.Ordinal)));
        Assert.Equal(parts.Length, e.Failures.Count());
        e = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            () => ServiceHost.Start(_ => { }));
        Assert.Contains("No model is configured", e.Message);
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_stops_the_start_or_shows_in_its_state()
    {
        await Assert.ThrowsAsync<ModelException>(
            () => ServiceHost.Start(options => options.AddModel("m", "no such file.pth")));
        await using ServiceHost host = await ServiceHost.Start(options =>
        {
            options.LoadInBackground = true;
            options.AddModel("good", model.Path).AddModel("bad", "no such file.pth");
        });
        await Assert.ThrowsAsync<ModelException>(() => host.Catalog.WhenLoadedAsync().WaitAsync(Patience));
        ModelStatus bad = host.Catalog.StatusOf("bad");
        Assert.Equal(ModelState.Unavailable, bad.State);
        Assert.Contains("no such file.pth", bad.Reason, StringComparison.Ordinal);
        Assert.Equal(ModelState.Ready, host.Catalog.StatusOf("good").State);
        ModelNotReadyException e = await Assert.ThrowsAsync<ModelNotReadyException>(
            () => host.Catalog.Get("bad").SegmentAsync(Workplace.Photo()));
        Assert.Equal(ModelState.Unavailable, e.State);
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["atrous-ready"].Status);
        Assert.Contains("bad is unavailable", report.Entries["atrous-ready"].Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Healthy, report.Entries["atrous-live"].Status);
    }

    [Fact]
    public async Task Requests_are_measured_and_traced()
    {
        var measured = new List<(string Instrument, double Value, string Tags)>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Atrous")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        meters.Start();
        var activities = new List<Activity>();
        using var tracing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Atrous",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(tracing);

        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        using (await host.Segmenter.SegmentAsync(Workplace.Photo()))
        {
        }
        await Assert.ThrowsAsync<ImageException>(() => host.Segmenter.SegmentAsync(new byte[9]));
        meters.RecordObservableInstruments();

        Activity request = Assert.Single(
            activities, activity => activity is { OperationName: "segment", Status: ActivityStatusCode.Unset });
        Assert.Equal("m", request.GetTagItem("atrous.model"));
        Assert.All(["queue", "decode", "network"], stage =>
            Assert.Equal(
                request.SpanId, Assert.Single(activities, activity => activity.OperationName == stage).ParentSpanId));
        lock (measured)
        {
            Assert.Single(
                measured, one => one is { Instrument: "atrous.requests", Value: 1, Tags: "model=m outcome=ok" });
            Assert.Single(measured, one => one is { Instrument: "atrous.requests", Tags: "model=m outcome=bad_input" });
            Assert.Single(measured, one =>
                one is { Instrument: "atrous.stage.duration", Tags: "model=m stage=network", Value: > 0 });
            Assert.Single(measured, one => one is { Instrument: "atrous.batch.size", Value: 1 });
            Assert.Single(measured, one => one is { Instrument: "atrous.queue.length", Value: 0 });
            Assert.Single(measured, one => one is { Instrument: "atrous.model.ready", Value: 1 });
            Assert.Single(measured, one => one is { Instrument: "atrous.memory.resident", Value: > 1e6 });
        }

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string text = string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
            lock (measured)
                measured.Add((instrument.Name, value, text));
        }
    }
}
