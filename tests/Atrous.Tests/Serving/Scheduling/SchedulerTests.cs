using System.Collections.Concurrent;
using Atrous.Hosting;
using Atrous.Hosting.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace Atrous.Tests.Serving.Scheduling;

/// <summary>Queues and batches on one device. A held work keeps the device busy, so that what waits is known.</summary>
public sealed class SchedulerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new();
    private readonly DeviceScheduler _device;
    private readonly ConcurrentQueue<string> _runs = [];

    public SchedulerTests() => _device = new DeviceScheduler("test", _time, mostPreparing: 2);

    public void Dispose() => _device.Dispose();

    [Fact]
    public async Task What_waits_runs_together_up_to_the_largest_batch()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 3 });
        (GatedWork busy, QueuedRequest first) = await Occupy(queue);
        QueuedRequest[] rest = [.. "abcde".Select(name => Submit(queue, Work(name.ToString())))];
        Assert.Equal(5, queue.Length);
        busy.Open();
        await All([first, .. rest]);
        Assert.Equal(["busy", "a+b+c", "d+e"], _runs);
        Assert.Equal(0, queue.Length);
    }

    [Fact]
    public async Task A_device_that_is_good_for_several_batches_runs_them_at_once()
    {
        using var device = new DeviceScheduler("test", _time, mostPreparing: 2, mostRunning: 2);
        RequestQueue queue = device.AddQueue("m", new BatchingOptions { MaxBatch = 2 }, 1);
        GatedWork[] works = [.. "abcde".Select(name => Work(name.ToString()).Held())];
        QueuedRequest[] requests = [.. works.Select(work => Submit(queue, work))];
        await works[0].Running.WaitAsync(Patience);
        await works[1].Running.WaitAsync(Patience);
        Assert.Equal(["a", "b"], _runs.Order());
        Assert.Equal(3, queue.Length);
        works[1].Open();
        await requests[1].Completion.WaitAsync(Patience);
        await works[2].Running.WaitAsync(Patience);
        // What is cut off frees its thread as well.
        device.Abandon(requests[0], new OperationCanceledException());
        await works[4].Running.WaitAsync(Patience);
        Assert.Equal(["c+d", "e"], _runs.Skip(2));
        foreach (GatedWork work in works)
            work.Open();
        await All(requests[1..]);
        Assert.Equal(0, queue.Length);
    }

    [Fact]
    public async Task Only_equal_keys_run_together_and_the_oldest_goes_first()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 4 });
        (GatedWork busy, _) = await Occupy(queue);
        QueuedRequest[] rest = [.. "aBcDe".Select(name => Submit(queue, Work(name.ToString(), char.IsUpper(name))))];
        busy.Open();
        await All(rest);
        Assert.Equal(["busy", "a+c+e", "B+D"], _runs);
    }

    [Fact]
    public async Task Exactly_those_beyond_the_limit_are_refused_and_a_batch_of_requests_wholly()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 2, QueueLimit = 5 });
        (GatedWork busy, _) = await Occupy(queue);
        int refused = 0;
        var accepted = new List<QueuedRequest>();
        for (int i = 0; i < 12; i++)
        {
            try
            {
                accepted.Add(Submit(queue, Work($"{i}")));
            }
            catch (QueueFullException e)
            {
                refused++;
                Assert.True(e.RetryAfter >= TimeSpan.FromSeconds(1));
            }
        }
        Assert.Equal((5, 7), (accepted.Count, refused));
        busy.Open();
        await All(accepted);

        (busy, _) = await Occupy(queue);
        QueuedRequest[] three = [.. "abc".Select(name => new QueuedRequest(queue, Work(name.ToString()), 2))];
        _device.Submit(three);
        QueuedRequest[] more = [.. "def".Select(name => new QueuedRequest(queue, Work(name.ToString()), 2))];
        Assert.Throws<QueueFullException>(() => _device.Submit(more));
        Assert.Equal(3, queue.Length);
        busy.Open();
        await All(three);
    }

    [Fact]
    public async Task A_higher_priority_goes_first_also_before_what_is_prepared()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 1 });
        (GatedWork busy, _) = await Occupy(queue);
        var requests = new List<QueuedRequest>();
        foreach ((string name, int priority) in new[] { ("low1", 3), ("low2", 3), ("usual", 2), ("high", 1) })
        {
            GatedWork work = Work(name).Prepared();
            requests.Add(Submit(queue, work, priority));
            await work.Preparing.WaitAsync(Patience);
        }
        SpinWait.SpinUntil(() => queue.Ready.Count == 4, Patience);
        busy.Open();
        await All(requests);
        Assert.Equal(["busy", "high", "usual", "low1", "low2"], _runs);
        Assert.Throws<RequestException>(() => queue.PriorityOf(4));
        Assert.Equal(2, queue.PriorityOf(0));
    }

    [Fact]
    public async Task A_request_waits_for_company_no_longer_than_the_delay()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 3, MaxDelay = TimeSpan.FromMilliseconds(10) });
        QueuedRequest a = Submit(queue, Work("a"));
        _time.Advance(TimeSpan.FromMilliseconds(6));
        QueuedRequest b = Submit(queue, Work("b"));
        _time.Advance(TimeSpan.FromMilliseconds(3));
        Assert.Empty(_runs);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await All([a, b]);
        QueuedRequest[] full = [.. "cde".Select(name => Submit(queue, Work(name.ToString())))];
        await All(full);
        Assert.Equal(["a+b", "c+d+e"], _runs);
    }

    [Fact]
    public async Task A_timeout_ends_a_waiting_request_and_frees_its_place()
    {
        RequestQueue queue = Queue(new BatchingOptions { QueueLimit = 4 });
        (GatedWork busy, QueuedRequest first) = await Occupy(queue);
        GatedWork work = Work("late");
        QueuedRequest late = Submit(queue, work, timeout: TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(late.Completion.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        RequestTimeoutException e =
            await Assert.ThrowsAsync<RequestTimeoutException>(() => late.Completion.WaitAsync(Patience));
        Assert.Contains("5 s", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, queue.Length);
        Assert.False(work.Delivered);
        busy.Open();
        await All([first]);
        Assert.Equal(["busy"], _runs);
    }

    [Fact]
    public async Task A_cancelled_request_is_gone_at_once_and_another_takes_its_place()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 1, QueueLimit = 1 });
        (GatedWork busy, QueuedRequest first) = await Occupy(queue);
        using var gone = new CancellationTokenSource();
        GatedWork abandoned = Work("gone");
        QueuedRequest request = Submit(queue, abandoned, cancellationToken: gone.Token);
        Assert.Throws<QueueFullException>(() => Submit(queue, Work("refused")));
        await gone.CancelAsync();
        QueuedRequest next = Submit(queue, Work("next"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request.Completion.WaitAsync(Patience));
        Assert.False(abandoned.Delivered);
        busy.Open();
        await All([first, next]);
        Assert.Equal(["busy", "next"], _runs);
    }

    [Fact]
    public async Task A_request_that_is_cancelled_while_it_is_prepared_ends_when_its_bytes_are_no_longer_read()
    {
        RequestQueue queue = Queue(new BatchingOptions { QueueLimit = 4 });
        using var gone = new CancellationTokenSource();
        GatedWork work = Work("gone").Prepared(held: true);
        QueuedRequest request = Submit(queue, work, cancellationToken: gone.Token);
        await work.Preparing.WaitAsync(Patience);
        await gone.CancelAsync();
        Assert.Equal(0, queue.Length);
        Assert.False(request.Completion.IsCompleted);
        work.OpenPreparation();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request.Completion.WaitAsync(Patience));
        Assert.False(work.Delivered);
        Assert.Empty(_runs);
    }

    [Fact]
    public async Task A_run_is_cut_off_when_nobody_waits_for_any_of_it()
    {
        RequestQueue queue = Queue(new BatchingOptions());
        (GatedWork busy, _) = await Occupy(queue);
        using CancellationTokenSource one = new(), other = new();
        GatedWork a = Work("a").Held(), b = Work("b").Held();
        QueuedRequest first = Submit(queue, a, cancellationToken: one.Token),
            second = Submit(queue, b, cancellationToken: other.Token);
        busy.Open();
        await b.Running.WaitAsync(Patience);
        await one.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.Completion.WaitAsync(Patience));
        Assert.False(a.Cancellation.IsCancellationRequested);
        await other.CancelAsync();
        await Task.WhenAll(a.Released, b.Released).WaitAsync(Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.Completion.WaitAsync(Patience));
        Assert.Equal(["busy", "a+b"], _runs);
    }

    [Fact]
    public async Task What_fails_together_is_tried_alone()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 4 });
        (GatedWork busy, _) = await Occupy(queue);
        var bad = new GatedWork("bad") { Runs = _runs, Failure = new ImageException("This one is bad.") };
        var shy = new GatedWork("shy")
        {
            Runs = _runs,
            Failure = new AtrousException("Too much at once."),
            FailsInCompany = true,
        };
        QueuedRequest good = Submit(queue, Work("good")), failing = Submit(queue, bad), alone = Submit(queue, shy);
        busy.Open();
        await All([good, alone]);
        await Assert.ThrowsAsync<ImageException>(() => failing.Completion.WaitAsync(Patience));
        Assert.Equal(["busy", "good+bad+shy", "good", "bad", "shy"], _runs);
        Assert.False(bad.Delivered);
    }

    [Fact]
    public async Task A_failed_preparation_is_its_own_request_s_only()
    {
        RequestQueue queue = Queue(new BatchingOptions());
        var broken = new BrokenWork();
        QueuedRequest failing = Submit(queue, broken), good = Submit(queue, Work("good").Prepared());
        await Assert.ThrowsAsync<ImageException>(() => failing.Completion.WaitAsync(Patience));
        await All([good]);
        Assert.Equal(0, queue.Length);
    }

    [Fact]
    public async Task No_more_is_prepared_than_the_next_batches_need()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 2, QueueLimit = 100 });
        (GatedWork busy, _) = await Occupy(queue);
        GatedWork[] works = [.. Enumerable.Range(0, 20).Select(i => Work($"{i}").Prepared())];
        QueuedRequest[] requests = [.. works.Select(work => Submit(queue, work))];
        Assert.True(SpinWait.SpinUntil(() => queue.Ready.Count == queue.LookAhead, Patience));
        Assert.Equal(queue.LookAhead, works.Count(work => work.IsPrepared == true));
        busy.Open();
        await All(requests);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    public async Task Two_models_share_the_device_by_weight(int firstWeight, int secondWeight)
    {
        RequestQueue first = Queue(new BatchingOptions { MaxBatch = 1, QueueLimit = 100 }, "first", firstWeight);
        RequestQueue second = Queue(new BatchingOptions { MaxBatch = 1, QueueLimit = 100 }, "second", secondWeight);
        (GatedWork busy, _) = await Occupy(first);
        QueuedRequest[] requests =
        [
            .. Enumerable.Range(0, 48).Select(_ => Submit(first, new TimedWork("1", _time, _runs))),
            .. Enumerable.Range(0, 16).Select(_ => Submit(second, new TimedWork("2", _time, _runs))),
        ];
        busy.Open();
        await All(requests);
        string[] order = [.. _runs.Skip(1)];
        // While both have requests, each stretch of a round has its part.
        int round = firstWeight + secondWeight;
        string[] shared = [.. order.Take(round * 16)];
        for (int i = 0; i + round <= shared.Length; i += round)
            Assert.InRange(shared.Skip(i).Take(round).Count(run => run == "2"), secondWeight - 1, secondWeight + 1);
        Assert.InRange(shared.Count(run => run == "2"), 14, 16);
    }

    [Fact]
    public async Task A_model_that_was_idle_has_no_claim_to_what_it_did_not_use()
    {
        RequestQueue busyModel = Queue(new BatchingOptions { MaxBatch = 1 }, "busy"),
            idle = Queue(new BatchingOptions { MaxBatch = 1 }, "idle");
        await All([.. Enumerable.Range(0, 20).Select(_ => Submit(busyModel, new TimedWork("1", _time, [])))]);
        (GatedWork busy, _) = await Occupy(busyModel);
        QueuedRequest[] requests =
        [
            .. Enumerable.Range(0, 8).Select(_ => Submit(busyModel, new TimedWork("1", _time, _runs))),
            .. Enumerable.Range(0, 8).Select(_ => Submit(idle, new TimedWork("2", _time, _runs))),
        ];
        busy.Open();
        await All(requests);
        Assert.InRange(_runs.Skip(1).Take(8).Count(run => run == "1"), 3, 5);
    }

    [Fact]
    public async Task The_time_to_try_again_follows_the_measured_rate()
    {
        RequestQueue queue = Queue(new BatchingOptions { MaxBatch = 1, QueueLimit = 10 });
        await All([Submit(queue, new TimedWork("1", _time, _runs, seconds: 2))]);
        (GatedWork busy, _) = await Occupy(queue);
        QueuedRequest[] waiting = [.. Enumerable.Range(0, 10).Select(_ => Submit(queue, Work("a")))];
        QueueFullException full = Assert.Throws<QueueFullException>(() => Submit(queue, Work("refused")));
        Assert.Equal(20, full.RetryAfter.TotalSeconds, 1.0);
        busy.Open();
        await All(waiting);
    }

    [Fact]
    public async Task Waiting_takes_no_threads()
    {
        RequestQueue queue = Queue(new BatchingOptions { QueueLimit = 2000 });
        (GatedWork busy, _) = await Occupy(queue);
        int before = ThreadPool.ThreadCount;
        QueuedRequest[] waiting =
            [.. Enumerable.Range(0, 1000).Select(i => Submit(queue, Work($"{i}"), timeout: TimeSpan.FromHours(1)))];
        Assert.InRange(ThreadPool.ThreadCount, 0, before + 2);
        busy.Open();
        await All(waiting);
    }

    private RequestQueue Queue(BatchingOptions options, string model = "model", double weight = 1) =>
        _device.AddQueue(model, options, weight);

    private GatedWork Work(string name, object? key = null) => new(name, key) { Runs = _runs };

    /// <summary>A work that holds the device until it is opened.</summary>
    private async Task<(GatedWork Work, QueuedRequest Request)> Occupy(RequestQueue queue)
    {
        GatedWork busy = Work("busy", "of its own").Held();
        var request = new QueuedRequest(queue, busy, 1);
        _device.Submit([request]);
        // Where a delay is set, it runs alone.
        _time.Advance(queue.Options.MaxDelay);
        await busy.Running.WaitAsync(Patience);
        return (busy, request);
    }

    private static QueuedRequest Submit(
        RequestQueue queue, Work work, int priority = 2, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        var request = new QueuedRequest(queue, work, priority);
        request.EndEarly(timeout, cancellationToken);
        queue.Device.Submit([request]);
        return request;
    }

    private static Task All(IEnumerable<QueuedRequest> requests) =>
        Task.WhenAll(requests.Select(request => request.Completion)).WaitAsync(Patience);

    /// <summary>Takes a second of the test's clock.</summary>
    private sealed class TimedWork(string name, FakeTimeProvider time, ConcurrentQueue<string> runs, double seconds = 1)
        : Work
    {
        public override object Key => this;

        public override bool NeedsPreparation => false;

        public override void Prepare()
        {
        }

        public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken)
        {
            runs.Enqueue(name);
            time.Advance(TimeSpan.FromSeconds(seconds));
        }

        public override void Release(bool delivered)
        {
        }
    }

    private sealed class BrokenWork : Work
    {
        public override object Key => this;

        public override bool NeedsPreparation => true;

        public override void Prepare() => throw new ImageException("These bytes are no picture.");

        public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken) =>
            Assert.Fail("It is not prepared.");

        public override void Release(bool delivered) => Assert.False(delivered);
    }
}
