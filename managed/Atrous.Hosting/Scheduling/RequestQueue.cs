namespace Atrous.Hosting.Scheduling;

/// <summary>A model's bounded queue on a device. The device's lock guards what changes.</summary>
internal sealed class RequestQueue(
    string model, BatchingOptions options, double weight, DeviceScheduler device, TimeProvider time,
    ISchedulingObserver? observer = null)
{
    // How fast an old rate is forgotten: a batch of now counts as much as the five before.
    private const double Smoothing = 0.2;
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);
    private double _secondsPerRequest;
    private long _lastEnd;

    public string Model => model;

    public BatchingOptions Options => options;

    public DeviceScheduler Device => device;

    public TimeProvider Time => time;

    public ISchedulingObserver? Observer => observer;

    public RequestList Waiting { get; } = new(options.PriorityLevels);

    public RequestList Preparing { get; } = new(options.PriorityLevels);

    public RequestList Ready { get; } = new(options.PriorityLevels);

    /// <summary>Requests in the queue. Read outside the lock it is a moment old.</summary>
    public int Length => Waiting.Count + Preparing.Count + Ready.Count;

    /// <summary>The device's time that it had, by its weight: the queue with the least is next.</summary>
    public double VirtualTime { get; set; }

    /// <summary>Preparations in memory that are allowed: the batch that runs next, and the one after it.</summary>
    public int LookAhead => 2 * options.MaxBatch;

    /// <summary>How the callers of a request may be called.</summary>
    /// <exception cref="RequestException">There is no such level.</exception>
    public int PriorityOf(int priority) => priority == 0 ? options.DefaultPriority
        : priority >= 1 && priority <= options.PriorityLevels
            ? priority
            : throw new RequestException(
            $"There is no priority {priority}; 1 (served first) to {options.PriorityLevels} are allowed, 0 for the " +
            $"usual.");

    /// <summary>When the queue is empty again, as far as the last batches tell.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            double seconds = Math.Max(Volatile.Read(ref _secondsPerRequest) * Length, 1);
            return TimeSpan.FromSeconds(Math.Min(seconds, LongestRetry.TotalSeconds));
        }
    }

    public QueueFullException Full() =>
        new($"The queue of '{model}' is full: {options.QueueLimit} requests wait; try again later.", RetryAfter);

    public RequestTimeoutException TimedOut(TimeSpan limit)
    {
        string time = limit.TotalSeconds < 1 ? $"{limit.TotalMilliseconds:0.###} ms" : $"{limit.TotalSeconds:0.###} s";
        return new($"The model '{model}' had no result within {time}; allow more time or send less at a time.");
    }

    /// <summary>A batch has ended: the device's time is charged, and the rate measured.</summary>
    /// <param name="requests">The number of requests that ran together.</param>
    /// <param name="started">The clock's timestamp when the batch began.</param>
    /// <param name="ended">The clock's timestamp when the batch had run.</param>
    public void Charge(int requests, long started, long ended)
    {
        TimeSpan ran = time.GetElapsedTime(started, ended);
        VirtualTime += ran.TotalSeconds / weight;
        // While requests wait, the time from end to end counts: in between, the device had others to serve.
        TimeSpan took = Length > 0 && _lastEnd != 0 ? time.GetElapsedTime(_lastEnd, ended) : ran;
        _lastEnd = Length > 0 ? ended : 0;
        double each = took.TotalSeconds / requests;
        Volatile.Write(ref _secondsPerRequest, _secondsPerRequest == 0
            ? each
            : _secondsPerRequest + Smoothing * (each - _secondsPerRequest));
    }

    /// <summary>The next batch, or null with the time until there is one (infinite where nothing is ready).</summary>
    public IReadOnlyList<QueuedRequest>? NextBatch(long now, out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        HashSet<object>? seen = null;
        foreach (QueuedRequest head in Ready.All)
        {
            TimeSpan left = options.MaxDelay - time.GetElapsedTime(head.Enqueued, now);
            if (left > TimeSpan.Zero && seen?.Contains(head.Work.Key) == true)
                continue;
            int most = Math.Min(options.MaxBatch, head.Work.WorthwhileBatch);
            List<QueuedRequest> group =
                [.. Ready.All.Where(request => request.Work.Key.Equals(head.Work.Key)).Take(most)];
            if (left <= TimeSpan.Zero || group.Count == most)
                return group;
            (seen ??= []).Add(head.Work.Key);
            if (wait == Timeout.InfiniteTimeSpan || left < wait)
                wait = left;
        }
        return null;
    }
}
