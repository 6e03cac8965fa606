using Atrous.Hosting;
using Atrous.Hosting.Requests;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Serving.Requests;

/// <summary>Decoded pictures have a part of the memory, and wait for their turn.</summary>
public sealed class PictureBudgetTests(GeneratedModel model)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Pictures_wait_for_room_in_their_order()
    {
        var budget = new PictureBudget(1000);
        IDisposable first = await budget.TakeAsync(600, default), second = await budget.TakeAsync(400, default);
        Task<PictureLease> third = budget.TakeAsync(700, default), fourth = budget.TakeAsync(100, default);
        Assert.Equal((1000, 2), (budget.Held, budget.Waiting));
        second.Dispose();
        second.Dispose();
        Assert.False(third.IsCompleted || fourth.IsCompleted);
        first.Dispose();
        (await third.WaitAsync(Patience)).Dispose();
        (await fourth.WaitAsync(Patience)).Dispose();
        Assert.Equal((0, 0), (budget.Held, budget.Waiting));
    }

    [Fact]
    public async Task A_small_picture_waits_for_no_large_one()
    {
        var budget = new PictureBudget(1000);
        using IDisposable first = await budget.TakeAsync(900, default);
        Task<PictureLease> large = budget.TakeAsync(500, default);
        (await budget.TakeAsync(15, default).WaitAsync(Patience)).Dispose();
        Assert.False(large.IsCompleted);
        first.Dispose();
        (await large.WaitAsync(Patience)).Dispose();
    }

    [Fact]
    public async Task A_picture_larger_than_all_has_its_turn_alone()
    {
        var budget = new PictureBudget(1000);
        IDisposable first = await budget.TakeAsync(10, default);
        Task<PictureLease> huge = budget.TakeAsync(1_000_000, default);
        Assert.False(huge.IsCompleted);
        first.Dispose();
        (await huge.WaitAsync(Patience)).Dispose();
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task What_an_answer_takes_is_kept_and_the_rest_is_anothers_turn()
    {
        var budget = new PictureBudget(1000);
        PictureLease first = await budget.TakeAsync(900, default);
        Task<PictureLease> second = budget.TakeAsync(700, default);
        first.Keep(2000);
        Assert.Equal((900, 1), (budget.Held, budget.Waiting));
        first.Keep(300);
        (await second.WaitAsync(Patience)).Dispose();
        Assert.Equal(300, budget.Held);
        first.Dispose();
        first.Keep(0);
        first.Dispose();
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task Who_gives_up_waits_no_more()
    {
        var budget = new PictureBudget(1000);
        using IDisposable first = await budget.TakeAsync(1000, default);
        using var cancellation = new CancellationTokenSource();
        Task<PictureLease> second = budget.TakeAsync(1000, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Patience));
        Assert.Equal((1000, 0), (budget.Held, budget.Waiting));
    }

    [Fact]
    public async Task Requests_take_turns_where_there_is_room_for_one()
    {
        await using ServiceHost host = await ServiceHost.Start(options =>
        {
            options.MaxPictureBytes = 1;
            options.AddModel("m", model.Path);
        });
        SegmentedPhoto held = await host.Segmenter.SegmentAsync(Workplace.Photo());
        Task<SegmentedPhoto>[] waiting =
            [.. Enumerable.Range(0, 3).Select(_ => host.Segmenter.SegmentAsync(Workplace.Photo()))];
        await Assert.ThrowsAsync<RequestTimeoutException>(() => host.Segmenter.SegmentAsync(
            Workplace.Photo(), new SegmentRequest { Timeout = TimeSpan.FromMilliseconds(50) }).WaitAsync(Patience));
        Assert.All(waiting, request => Assert.False(request.IsCompleted));
        held.Dispose();
        foreach (Task<SegmentedPhoto> request in waiting)
            (await request.WaitAsync(Patience)).Dispose();
    }
}
