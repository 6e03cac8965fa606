namespace Atrous.Hosting.Scheduling;

/// <summary>Requests that run together.</summary>
internal sealed class Batch(RequestQueue queue, IReadOnlyList<QueuedRequest> requests, DeviceThread thread)
    : IDisposable
{
    private readonly CancellationTokenSource _abandoned = new();

    public RequestQueue Queue => queue;

    public IReadOnlyList<QueuedRequest> Requests => requests;

    /// <summary>The thread that runs it.</summary>
    public DeviceThread Thread => thread;

    /// <summary>Requests whose callers still wait; guarded by the device's lock.</summary>
    public int Awaited { get; set; }

    /// <summary>Cancelled when nobody waits for any of the results.</summary>
    public CancellationToken Cancellation => _abandoned.Token;

    public void Cancel() => _abandoned.Cancel();

    public void Dispose() => _abandoned.Dispose();
}
