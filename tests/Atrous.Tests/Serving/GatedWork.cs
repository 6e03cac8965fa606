using System.Collections.Concurrent;
using Atrous.Hosting;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Requests;
using Atrous.Hosting.Scheduling;

namespace Atrous.Tests.Serving;

/// <summary>
/// A work whose preparation and run a test can hold: nothing here depends on how fast the machine is. Runs are written
/// down in their order.
/// </summary>
internal sealed class GatedWork(string name, object? key = null) : Work
{
    private readonly ManualResetEventSlim _prepare = new(initialState: true);
    private readonly TaskCompletionSource _preparing = New(), _running = New(), _released = New();

    private ManualResetEventSlim _run = new(initialState: true);

    public string Name => name;

    public override object Key { get; } = key ?? "same";

    public override bool NeedsPreparation => IsPrepared is not null;

    /// <summary>Null for a work without preparation.</summary>
    public bool? IsPrepared { get; private set; }

    public ConcurrentQueue<string>? Runs { get; init; }

    public Exception? Failure { get; init; }

    /// <summary>Fails only when it runs together with others.</summary>
    public bool FailsInCompany { get; init; }

    public bool? Delivered { get; private set; }

    public CancellationToken Cancellation { get; private set; }

    /// <summary>Runs that the device is kept busy with.</summary>
    public int Places { get; private set; } = 1;

    /// <summary>End when the preparation, the run has begun, and when the work is released.</summary>
    public Task Preparing => _preparing.Task;

    public Task Running => _running.Task;

    public Task Released => _released.Task;

    /// <summary>Keeps the device of a model busy until the work is opened.</summary>
    public static async Task<GatedWork> Occupy(IModelCatalog catalog, string? name = null)
    {
        ModelLife life = ((ServedModel)catalog.Get(name)).Life;
        GatedWork busy = new GatedWork("busy").Held();
        // As many as it works on at a time, none of which shares a run.
        busy.Places = life.Current().Segmenter.RunsAtOnce;
        for (int i = 0; i < busy.Places; i++)
        {
            GatedWork work = i == 0 ? busy : new GatedWork($"busy {i}", key: i) { _run = busy._run };
            life.Queue!.Device.Submit([new QueuedRequest(life.Queue, work, 1)]);
            await work.Running.WaitAsync(TimeSpan.FromMinutes(1));
        }
        return busy;
    }

    /// <summary>Its run waits until <see cref="Open"/>.</summary>
    public GatedWork Held()
    {
        _run.Reset();
        return this;
    }

    /// <summary>It has a preparation; held until <see cref="OpenPreparation"/> where asked for.</summary>
    public GatedWork Prepared(bool held = false)
    {
        IsPrepared = false;
        if (held)
            _prepare.Reset();
        return this;
    }

    public void Open() => _run.Set();

    public void OpenPreparation() => _prepare.Set();

    public override void Prepare()
    {
        _preparing.TrySetResult();
        _prepare.Wait();
        IsPrepared = true;
    }

    public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken)
    {
        Cancellation = cancellationToken;
        Runs?.Enqueue(string.Join("+", batch.Select(work => ((GatedWork)work).Name)));
        foreach (Work work in batch)
            ((GatedWork)work)._running.TrySetResult();
        foreach (Work work in batch)
            ((GatedWork)work)._run.Wait(cancellationToken);
        if (batch.Select(work => (GatedWork)work).FirstOrDefault(
            work => work.Failure is not null && (!work.FailsInCompany || batch.Count > 1)) is { } failing)
            throw failing.Failure!;
    }

    public override void Release(bool delivered)
    {
        Assert.Null(Delivered);
        Delivered = delivered;
        _released.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
