namespace Atrous.Hosting.Scheduling;

/// <summary>
/// One device and the queues that share it. One batch runs at a time, or as many as the device is good for; the queue
/// that had the least of the device's time (by its weight) is next, so that a busy model cannot starve another
/// (start-time fair queuing, Goyal et al. 1996).
/// Nothing polls: submitting, the end of a preparation, the end of a batch and the delay's timer each look for what can
/// be done next.
/// </summary>
internal sealed class DeviceScheduler : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<RequestQueue> _queues = [];
    private readonly TimeProvider _time;
    private readonly ITimer _delay;
    private readonly DeviceThread[] _threads;
    private readonly Stack<DeviceThread> _idle;
    private readonly List<Batch> _running = [];
    private readonly int _mostPreparing;
    private int _preparing;
    private long _sequence;
    private double _virtualTime;

    /// <summary>A device with nothing to do.</summary>
    /// <param name="name">The device's name, "cpu" or "cuda:0".</param>
    /// <param name="time">The clock and the timers that it goes by.</param>
    /// <param name="mostPreparing">The most threads that prepare pictures at one time.</param>
    /// <param name="mostRunning">The most batches that run at one time.</param>
    public DeviceScheduler(string name, TimeProvider time, int mostPreparing, int mostRunning = 1)
    {
        (_time, _mostPreparing) = (time, mostPreparing);
        _threads = [.. Enumerable.Range(0, mostRunning).Select(_ => new DeviceThread(name, Run))];
        _idle = new Stack<DeviceThread>(_threads);
        using (ExecutionContext.SuppressFlow())
            _delay = time.CreateTimer(_ => Dispatch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Adds a model's queue.</summary>
    /// <param name="model">The model's name, which messages give.</param>
    /// <param name="options">The queue's limits, batches and priority levels.</param>
    /// <param name="weight">The model's part of the device's time, relative to the other models'.</param>
    /// <param name="observer">Is told of every batch that has run; null for nobody.</param>
    public RequestQueue AddQueue(
        string model, BatchingOptions options, double weight, ISchedulingObserver? observer = null)
    {
        var queue = new RequestQueue(model, options, weight, this, _time, observer);
        lock (_lock)
            _queues.Add(queue);
        return queue;
    }

    /// <summary>Takes out a queue that is empty.</summary>
    public void RemoveQueue(RequestQueue queue)
    {
        lock (_lock)
            _queues.Remove(queue);
    }

    /// <summary>Queues requests of one queue: all or none.</summary>
    /// <exception cref="QueueFullException">There is no place for all of them.</exception>
    public void Submit(IReadOnlyList<QueuedRequest> requests)
    {
        RequestQueue queue = requests[0].Queue;
        List<QueuedRequest>? abandoned = null;
        lock (_lock)
        {
            if (queue.Length + requests.Count > queue.Options.QueueLimit)
                throw queue.Full();
            if (queue.Length == 0)
                queue.VirtualTime = Math.Max(queue.VirtualTime, _virtualTime);
            long now = _time.GetTimestamp();
            foreach (QueuedRequest request in requests)
            {
                if (request.IsAbandoned)
                {
                    request.State = RequestState.Done;
                    (abandoned ??= []).Add(request);
                    continue;
                }
                request.Sequence = _sequence++;
                request.Enqueued = now;
                Put(request, request.Work.NeedsPreparation ? RequestState.Waiting : RequestState.Ready);
            }
        }
        foreach (QueuedRequest request in abandoned ?? [])
            End(request, null);
        Dispatch();
    }

    /// <summary>
    /// Nobody waits for a result any more. A request that waits is gone at once, and its place free; one that runs is
    /// cut off when nobody waits for the rest of its batch either.
    /// </summary>
    public void Abandon(QueuedRequest request, Exception why)
    {
        bool free = false, ended = false;
        Batch? cutOff = null;
        lock (_lock)
        {
            if (request.State == RequestState.Done || request.IsAbandoned)
                return;
            request.Abandon(why);
            switch (request.State)
            {
                case RequestState.Waiting or RequestState.Ready:
                    Take(request);
                    request.State = RequestState.Done;
                    free = true;
                    break;
                case RequestState.Preparing:
                    // Its place is free; the thread that prepares it ends it, since it still reads the caller's bytes.
                    Take(request);
                    break;
                case RequestState.Running:
                    ended = true;
                    if (--request.Batch!.Awaited == 0)
                        cutOff = request.Batch;
                    break;
            }
        }
        cutOff?.Cancel();
        if (free)
            End(request, null);
        else if (ended)
            request.Complete(null);
        // The one that is gone may have been what others waited for.
        Dispatch();
    }

    /// <summary>Abandons whatever a queue has, also what runs.</summary>
    public void AbandonAll(RequestQueue queue, Exception why)
    {
        QueuedRequest[] all;
        lock (_lock)
        {
            all =
            [
                .. queue.Waiting.All, .. queue.Preparing.All, .. queue.Ready.All,
                .. _running.Where(batch => batch.Queue == queue).SelectMany(batch => batch.Requests),
            ];
        }
        foreach (QueuedRequest request in all)
            Abandon(request, why);
    }

    public void Dispose()
    {
        _delay.Dispose();
        foreach (DeviceThread thread in _threads)
            thread.Dispose();
    }

    /// <summary>Starts whatever can be started: preparations, and batches where threads are idle.</summary>
    private void Dispatch()
    {
        List<QueuedRequest>? toPrepare = null;
        List<Batch>? batches = null;
        lock (_lock)
        {
            StartPreparations(ref toPrepare);
            while (NextBatch() is { } batch)
            {
                (batches ??= []).Add(batch);
                StartPreparations(ref toPrepare);
            }
        }
        foreach (QueuedRequest request in toPrepare ?? [])
            ThreadPool.UnsafeQueueUserWorkItem(
                static state => state.Queue.Device.Prepare(state), request, preferLocal: false);
        foreach (Batch batch in batches ?? [])
            batch.Thread.Run(batch);
    }

    private void StartPreparations(ref List<QueuedRequest>? started)
    {
        // In turn over the queues, so that one with large files does not take all threads.
        for (bool any = true; any && _preparing < _mostPreparing;)
        {
            any = false;
            foreach (RequestQueue queue in _queues)
            {
                if (_preparing >= _mostPreparing || !queue.Waiting.TryPeek(out QueuedRequest? next))
                    continue;
                // Counted up to its own level, so that those behind it never hold it up.
                if (queue.Ready.CountUpTo(next.Priority) + queue.Preparing.CountUpTo(next.Priority) >= queue.LookAhead)
                    continue;
                Take(next);
                Put(next, RequestState.Preparing);
                _preparing++;
                (started ??= []).Add(next);
                any = true;
            }
        }
    }

    private Batch? NextBatch()
    {
        if (_idle.Count == 0)
            return null;
        long now = _time.GetTimestamp();
        TimeSpan shortest = Timeout.InfiniteTimeSpan;
        (RequestQueue Queue, IReadOnlyList<QueuedRequest> Requests)? next = null;
        foreach (RequestQueue queue in _queues)
        {
            if (queue.Ready.Count == 0 || next is { } best && best.Queue.VirtualTime <= queue.VirtualTime)
                continue;
            if (queue.NextBatch(now, out TimeSpan wait) is { } requests)
                next = (queue, requests);
            else if (shortest == Timeout.InfiniteTimeSpan || wait < shortest)
                shortest = wait;
        }
        if (next is not { } chosen)
        {
            // Timers count whole milliseconds: rounded down, it would come too early and find nothing.
            _delay.Change(
                shortest == Timeout.InfiniteTimeSpan
                    ? shortest
                    : TimeSpan.FromMilliseconds(Math.Ceiling(shortest.TotalMilliseconds)),
                Timeout.InfiniteTimeSpan);
            return null;
        }
        _virtualTime = chosen.Queue.VirtualTime;
        var batch = new Batch(chosen.Queue, chosen.Requests, _idle.Pop()) { Awaited = chosen.Requests.Count };
        _running.Add(batch);
        foreach (QueuedRequest request in chosen.Requests)
        {
            Take(request);
            request.State = RequestState.Running;
            request.Batch = batch;
        }
        return batch;
    }

    private void Prepare(QueuedRequest request)
    {
        Exception? failure = null;
        long started = _time.GetTimestamp();
        try
        {
            // Abandoned since it was handed over: nothing is worth doing.
            if (!request.IsAbandoned)
                request.Work.Prepare();
        }
        catch (Exception e)
        {
            failure = e;
        }
        bool ended = false;
        lock (_lock)
        {
            _preparing--;
            request.Preparation = _time.GetElapsedTime(started);
            if (request.IsAbandoned)
            {
                ended = true;
            }
            else
            {
                Take(request);
                if (failure is null)
                    Put(request, RequestState.Ready);
                else
                    ended = true;
            }
            if (ended)
                request.State = RequestState.Done;
        }
        if (ended)
            End(request, failure);
        Dispatch();
    }

    private void Run(Batch batch)
    {
        IReadOnlyList<QueuedRequest> requests = batch.Requests;
        long started = _time.GetTimestamp();
        foreach (QueuedRequest request in requests)
            request.RunStarted = started;
        Exception? failure = RunWorks(requests, batch.Cancellation);
        Exception?[] failures = new Exception?[requests.Count];
        // What fails together is tried alone, so that a request fails for its own reasons only.
        for (int i = 0; failure is not null && i < requests.Count; i++)
        {
            failures[i] = requests.Count == 1 || failure is OperationCanceledException
                ? failure : RunWorks([requests[i]], batch.Cancellation);
        }
        long ended = _time.GetTimestamp();
        var awaited = new bool[requests.Count];
        lock (_lock)
        {
            _running.Remove(batch);
            _idle.Push(batch.Thread);
            batch.Queue.Charge(requests.Count, started, ended);
            for (int i = 0; i < requests.Count; i++)
            {
                awaited[i] = !requests[i].IsAbandoned;
                requests[i].State = RequestState.Done;
            }
        }
        // First: preparations go on while this thread hands out the answers.
        Dispatch();
        for (int i = 0; i < requests.Count; i++)
        {
            requests[i].Work.Release(delivered: awaited[i] && failures[i] is null);
            if (awaited[i])
                requests[i].Complete(failures[i]);
        }
        batch.Dispose();
    }

    private Exception? RunWorks(IReadOnlyList<QueuedRequest> requests, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        try
        {
            requests[0].Work.Run([.. requests.Select(request => request.Work)], cancellationToken);
            requests[0].Queue.Observer?.Ran(requests, _time.GetElapsedTime(started));
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static void End(QueuedRequest request, Exception? failure)
    {
        request.Work.Release(delivered: false);
        request.Complete(failure);
    }

    private static RequestList? ListOf(QueuedRequest request, RequestState state) => state switch
    {
        RequestState.Waiting => request.Queue.Waiting,
        RequestState.Preparing => request.Queue.Preparing,
        RequestState.Ready => request.Queue.Ready,
        _ => null,
    };

    private static void Put(QueuedRequest request, RequestState state)
    {
        request.State = state;
        ListOf(request, state)!.Add(request);
    }

    private static void Take(QueuedRequest request) => ListOf(request, request.State)!.Remove(request);
}
