using Atrous.Hosting;
using Atrous.Hosting.Requests;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Tests.Serving.Requests;

/// <summary>Requests that choose windows, scales and CRF for themselves, in a service of one's own.</summary>
public sealed class ScoringRequestTests(GeneratedModel model)
{
    private static readonly SegmentRequest Refined =
        new() { Scoring = new ScoringRequest { Crf = DenseCrfParameters.DeepLabV2 } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_run_in_no_batch()
    {
        await using ServiceHost host = await Start();
        using Image photo = Image.Load(Workplace.Photo());
        GatedWork busy = await host.Occupy();
        Task<Segmentation>[] tasks =
        [
            .. new[] { Refined, Refined, SegmentRequest.Default, SegmentRequest.Default }
                .Select(request => host.Segmenter.SegmentAsync(photo, request, Token)),
        ];
        busy.Open();
        await Task.WhenAll(tasks);
        // What kept the device busy is among those that ran alone.
        Assert.Equal(
            [(1, 2L + busy.Places), (2, 1L)],
            host.Segmenter.Statistics.Batches.Select(batch => (batch.BatchSize, batch.Network.Count)));
    }

    [Fact]
    public async Task Their_scores_count_among_the_pictures_memory()
    {
        await using ServiceHost host = await Start();
        PictureBudget budget = host.Services.GetRequiredService<PictureBudget>();
        byte[] file = Workplace.Photo();
        long plain, refined;
        using (await host.Segmenter.SegmentAsync(file, cancellationToken: Token))
            plain = budget.Held;
        using (await host.Segmenter.SegmentAsync(file, Refined, Token))
            refined = budget.Held;
        // Two lattices, three times the classes' scores.
        Assert.InRange(refined - plain, 33 * 37 * 300, 33 * 37 * 1000);
        Assert.Equal(0, budget.Held);
    }

    /// <summary>A model that was loaded with a CRF or scales takes as much as who asks for them.</summary>
    [Theory]
    [InlineData(true, long.MaxValue)]
    [InlineData(false, long.MaxValue)]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    public async Task So_do_a_models_own_which_are_never_refused(bool refined, long most)
    {
        ScoringRequest scoring = refined
            ? Refined.Scoring!
            : new ScoringRequest { Augmentation = new TestTimeAugmentation([1], flip: true) };
        await using ServiceHost host = await Start(options =>
        {
            options.MaxPictureBytes = most;
            options.AddModel("own", model.Path, new() { Crf = scoring.Crf, Augmentation = scoring.Augmentation });
        });
        PictureBudget budget = host.Services.GetRequiredService<PictureBudget>();
        byte[] file = Workplace.Photo();
        long own, asked = 1;
        using (await host.Catalog.Get("own").SegmentAsync(file, cancellationToken: Token))
            own = budget.Held;
        if (most > 1)
        {
            using (await host.Segmenter.SegmentAsync(file, Of(scoring), Token))
                asked = budget.Held;
        }
        Assert.Equal(asked, own);
    }

    /// <summary>A picture alone has its turn with however little memory; what a request makes of it has not.</summary>
    [Fact]
    public async Task Scores_that_are_more_than_all_memory_are_refused()
    {
        await using ServiceHost host = await Start(options => options.MaxPictureBytes = 1);
        byte[] file = Workplace.Photo();
        (await host.Segmenter.SegmentAsync(file, cancellationToken: Token)).Dispose();
        foreach (ScoringRequest scoring in new[]
        {
            new ScoringRequest { Augmentation = new TestTimeAugmentation([1], flip: true) },
            new ScoringRequest { Window = new SlidingWindow(32) },
            Refined.Scoring!,
        })
        {
            PictureTooLargeException e = await Assert.ThrowsAsync<PictureTooLargeException>(
                () => host.Segmenter.SegmentAsync(file, Of(scoring), Token));
            Assert.Contains("The scores of this request would take", e.Message);
        }
        Assert.Equal(0, host.Services.GetRequiredService<PictureBudget>().Held);
    }

    /// <summary>Whoever sends a header has an estimate made of it, before any limit of memory.</summary>
    [Fact]
    public void An_estimate_takes_no_memory_to_speak_of()
    {
        using var segmenter = Segmenter.Load(model.Path);
        var many = new ScoringRequest { Window = new SlidingWindow(16384, 0.9) };
        long before = GC.GetAllocatedBytesForCurrentThread();
        long bytes = segmenter.ScoringBytes(1, 6_680_000, many);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.InRange(bytes, 16384 * 5 * sizeof(float), 1L << 30);
    }

    [Fact]
    public async Task Too_many_tiles_and_too_large_inputs_are_refused()
    {
        await using ServiceHost host = await Start(options => options.MaxNetworkPixels = 2000);
        using var large = new Image(300, 300, 3);
        RequestException many = await Assert.ThrowsAsync<RequestException>(() => host.Segmenter.SegmentAsync(
            large, Of(new() { Window = new SlidingWindow(32, 0.9) }), Token));
        Assert.Contains("8281 tiles of 32 pixels, and 4096 are the most", many.Message);
        RequestException wide = await Assert.ThrowsAsync<RequestException>(() => host.Segmenter.SegmentAsync(
            large, Of(new() { Augmentation = new TestTimeAugmentation([1, 1.5], flip: false) }), Token));
        Assert.Contains("would see 450 x 450 pixels at a time, and 2000 are the most", wide.Message);
        // No more than without: nothing is refused that is served anyway.
        await host.Segmenter.SegmentAsync(
            large, Of(new() { Augmentation = new TestTimeAugmentation([1], flip: true) }), Token);
    }

    [Fact]
    public async Task A_segmenter_alone_takes_them_too()
    {
        using var segmenter = Segmenter.Load(model.Path);
        using var loaded = Segmenter.Load(model.Path, new() { Window = new SlidingWindow(32) });
        using Image photo = Image.Load(Workplace.Photo(61, 64));
        var tiled = new ScoringRequest { Window = new SlidingWindow(32) };
        Segmentation own = await segmenter.SegmentAsync(photo, Of(tiled), Token);
        Assert.Equal(loaded.Segment(photo, cancellationToken: Token).Labels.ToArray(), own.Labels.ToArray());
        // And the other way round: all of it takes the place of what was loaded.
        Segmentation whole = await loaded.SegmentAsync(photo, Of(new()), Token);
        Assert.Equal(segmenter.Segment(photo, cancellationToken: Token).Labels.ToArray(), whole.Labels.ToArray());
        await Assert.ThrowsAsync<UnavailableException>(() => segmenter.SegmentAsync(
            photo, Of(tiled with { Crf = DenseCrfParameters.DeepLabV2 }), Token));
    }

    /// <summary>The leak check looks at what a run that is cut off leaves behind.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(100)]
    [InlineData(200)]
    public async Task One_that_is_cut_off_leaves_nothing(int milliseconds)
    {
        using var segmenter = Segmenter.Load(model.Path);
        using Image photo = Image.Load(Workplace.Photo(61, 64));
        await Assert.ThrowsAsync<RequestTimeoutException>(() => segmenter.SegmentAsync(
            photo,
            new SegmentRequest
            {
                Timeout = TimeSpan.FromMilliseconds(milliseconds),
                Scoring = new ScoringRequest
                {
                    Window = new SlidingWindow(32, 0.9),
                    Augmentation = new TestTimeAugmentation([0.5, 0.6, 0.7, 0.8, 0.9, 1], flip: true),
                },
            },
            Token));
    }

    private static SegmentRequest Of(ScoringRequest scoring) => new() { Scoring = scoring };

    private Task<ServiceHost> Start(Action<AtrousOptions>? also = null) => ServiceHost.Start(options =>
    {
        options.Models.Add("one", new ModelOptions
        {
            Path = model.Path,
            Batching = new() { MaxBatch = 2 },
            WarmUp = [],
        });
        also?.Invoke(options);
    });
}
