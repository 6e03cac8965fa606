using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Serving.Lifecycle;

/// <summary>Loading anew, unloading and stopping while requests come and wait.</summary>
public sealed class LifecycleTests(GeneratedModel model)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Reloading_under_load_fails_no_request()
    {
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        using var photo = new Image(48, 48, 3);
        using var stop = new CancellationTokenSource();
        Task<int>[] clients = [.. Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            int served = 0;
            for (; !stop.IsCancellationRequested; served++)
                await host.Segmenter.SegmentAsync(photo);
            return served;
        }))];
        for (int i = 0; i < 4; i++)
            await host.Catalog.LoadAsync("m").WaitAsync(Patience);
        await stop.CancelAsync();
        int[] counts = await Task.WhenAll(clients).WaitAsync(Patience);
        Assert.All(counts, count => Assert.True(count > 0));
        Assert.Equal(5, host.Catalog.StatusOf("m").Generation);
        Assert.Equal(0, host.Segmenter.Statistics.Failed.Count);
    }

    [Fact]
    public async Task A_failed_reload_keeps_the_old_model_and_says_why()
    {
        using var place = new Workplace();
        string path = place.Add("m.safetensors", await File.ReadAllBytesAsync(model.Path));
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel("m", path));
        // Another file in its place, as deployments do it; the old one stays open.
        File.Move(place.Add("broken", "this is no checkpoint"), path, overwrite: true);
        ModelException e =
            await Assert.ThrowsAsync<ModelException>(() => host.Catalog.LoadAsync("m").WaitAsync(Patience));
        ModelStatus status = host.Catalog.StatusOf("m");
        Assert.Equal((ModelState.Ready, 1), (status.State, status.Generation));
        Assert.Contains(e.Message, status.Reason, StringComparison.Ordinal);
        Assert.True(host.Catalog.IsReady);
        using (await host.Segmenter.SegmentAsync(Workplace.Photo()))
        {
        }
        await Assert.ThrowsAsync<ModelException>(() => host.Catalog.ReloadAsync().WaitAsync(Patience));
        File.Copy(model.Path, place["good"]);
        File.Move(place["good"], path, overwrite: true);
        await host.Catalog.ReloadAsync().WaitAsync(Patience);
        status = host.Catalog.StatusOf("m");
        Assert.Equal((ModelState.Ready, 2, ""), (status.State, status.Generation, status.Reason));
    }

    [Fact]
    public async Task Unloading_finishes_what_waits_and_refuses_what_comes()
    {
        await using ServiceHost host =
            await ServiceHost.Start(options => options.AddModel("m", model.Path).AddModel("other", model.Path));
        GatedWork busy = await host.Occupy("m");
        Task<SegmentedPhoto>[] waiting =
            [.. Enumerable.Range(0, 3).Select(_ => host.Segmenter.SegmentAsync(Workplace.Photo()))];
        Task unloaded = host.Catalog.UnloadAsync("m");
        Assert.True(SpinWait.SpinUntil(() => host.Catalog.StatusOf("m").State == ModelState.Unloading, Patience));
        ModelNotReadyException e =
            await Assert.ThrowsAsync<ModelNotReadyException>(() => host.Segmenter.SegmentAsync(Workplace.Photo()));
        Assert.Equal("The model 'm' is not ready: it is unloaded.", e.Message);
        Assert.False(unloaded.IsCompleted);
        busy.Open();
        foreach (Task<SegmentedPhoto> request in waiting)
            (await request.WaitAsync(Patience)).Dispose();
        await unloaded.WaitAsync(Patience);
        Assert.Equal(ModelState.Unavailable, host.Catalog.StatusOf("m").State);
        Assert.True(host.Catalog.IsReady);
        await host.Catalog.ReloadAsync().WaitAsync(Patience);
        Assert.Equal([(ModelState.Unavailable, 1), (ModelState.Ready, 2)],
            host.Catalog.Models.Select(status => (status.State, status.Generation)));
        await host.Catalog.LoadAsync("m").WaitAsync(Patience);
        (await host.Segmenter.SegmentAsync(Workplace.Photo())).Dispose();
    }

    [Fact]
    public async Task Stopping_finishes_what_waits_and_cuts_it_off_when_told_to_hurry()
    {
        await using ServiceHost patient = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        GatedWork busy = await patient.Occupy();
        Task<SegmentedPhoto> waiting = patient.Segmenter.SegmentAsync(Workplace.Photo());
        Task stopped = patient.Stop();
        Assert.True(SpinWait.SpinUntil(() => !patient.Catalog.IsReady, Patience));
        busy.Open();
        (await waiting.WaitAsync(Patience)).Dispose();
        await stopped.WaitAsync(Patience);
        await Assert.ThrowsAsync<ModelNotReadyException>(() => patient.Segmenter.SegmentAsync(Workplace.Photo()));

        await using ServiceHost hurried = await ServiceHost.Start(options => options.AddModel("m", model.Path));
        await hurried.Occupy();
        waiting = hurried.Segmenter.SegmentAsync(Workplace.Photo());
        using var late = new CancellationTokenSource();
        stopped = hurried.Stop(late.Token);
        Assert.False(waiting.IsCompleted);
        await late.CancelAsync();
        await Assert.ThrowsAsync<ModelNotReadyException>(() => waiting.WaitAsync(Patience));
        await stopped.WaitAsync(Patience);
    }

    [Fact]
    public async Task One_busy_model_does_not_keep_another_from_the_device()
    {
        await using ServiceHost host =
            await ServiceHost.Start(options => options.AddModel("busy", model.Path).AddModel("quiet", model.Path));
        using var photo = new Image(64, 64, 3);
        GatedWork held = await host.Occupy("busy");
        Task<Segmentation>[] many =
            [.. Enumerable.Range(0, 40).Select(_ => host.Catalog.Get("busy").SegmentAsync(photo))];
        Task<Segmentation> one = host.Catalog.Get("quiet").SegmentAsync(photo);
        held.Open();
        await one.WaitAsync(Patience);
        Assert.Contains(many, call => !call.IsCompleted);
        await Task.WhenAll(many).WaitAsync(Patience);
    }
}
