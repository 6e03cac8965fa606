using System.Diagnostics;

namespace Atrous.Hosting.Scheduling;

/// <summary>
/// Where a request is; all but <see cref="New"/> and <see cref="Done"/> are guarded by the device's lock.
/// </summary>
internal enum RequestState
{
    New,

    /// <summary>In the queue, with nothing prepared.</summary>
    Waiting,

    /// <summary>In the queue; a thread of the pool prepares it.</summary>
    Preparing,

    /// <summary>In the queue, prepared.</summary>
    Ready,

    Running,
    Done,
}

/// <summary>A work with its place in a queue, its deadline and its end.</summary>
internal sealed class QueuedRequest(RequestQueue queue, Work work, int priority)
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private ITimer? _timer;
    private Exception? _abandonment;

    public RequestQueue Queue => queue;

    public Work Work => work;

    /// <summary>1 is served first.</summary>
    public int Priority => priority;

    /// <summary>Ends when there is a result, or none will come.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Guarded by the device's lock, as all that follows.</summary>
    public RequestState State { get; set; }

    /// <summary>Its place in the list of its state.</summary>
    public LinkedListNode<QueuedRequest>? Node { get; set; }

    /// <summary>The batch that it runs in.</summary>
    public Batch? Batch { get; set; }

    /// <summary>Nobody waits for its result any more.</summary>
    public bool IsAbandoned => _abandonment is not null;

    /// <summary>Order of arrival.</summary>
    public long Sequence { get; set; }

    /// <summary>Timestamps of the queue's clock; 0 for not yet.</summary>
    public long Enqueued { get; set; }

    public long RunStarted { get; set; }

    /// <summary>How long its preparation took.</summary>
    public TimeSpan Preparation { get; set; }

    /// <summary>Ends it early when the caller goes away or its time is over. Before it is submitted.</summary>
    public void EndEarly(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (timeout is { } limit)
        {
            // A deadline must not carry the caller's logical call context along.
            using (ExecutionContext.SuppressFlow())
                _timer = queue.Time.CreateTimer(
                    _ => queue.Device.Abandon(this, queue.TimedOut(limit)), null, limit, Timeout.InfiniteTimeSpan);
        }
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(
                static (state, token) => ((QueuedRequest)state!).Queue.Device.Abandon(
                    (QueuedRequest)state, new OperationCanceledException(token)), this);
        }
    }

    /// <summary>Under the device's lock: nobody waits for a result any more.</summary>
    public void Abandon(Exception why) => _abandonment ??= why;

    /// <summary>
    /// Outside the lock: the caller learns the end. An abandoned request ends with the reason for that.
    /// </summary>
    public void Complete(Exception? failure)
    {
        _registration.Unregister();
        _timer?.Dispose();
        switch (_abandonment ?? failure)
        {
            case null:
                _completion.TrySetResult();
                break;
            case OperationCanceledException cancelled:
                _completion.TrySetCanceled(cancelled.CancellationToken);
                break;
            case var exception:
                Debug.Assert(exception is not null);
                _completion.TrySetException(exception);
                // A caller that gave up first never looks.
                _ = _completion.Task.Exception;
                break;
        }
    }
}
