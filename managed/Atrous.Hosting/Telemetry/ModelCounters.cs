namespace Atrous.Hosting.Telemetry;

/// <summary>Sums up what a model does.</summary>
internal sealed class ModelCounters(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, BatchStatistics> _batches = [];
    private DateTimeOffset? _last;
    private long _inferences, _executions;
    private DurationCount _succeeded, _failed, _queue, _preprocess, _network, _postprocess;

    /// <summary>A call ended well.</summary>
    /// <param name="duration">How long the call took, from its begin to its end.</param>
    /// <param name="pictures">Where the time of each of its pictures went.</param>
    public void Succeeded(TimeSpan duration, IReadOnlyList<RequestTimings> pictures)
    {
        lock (_lock)
        {
            _last = time.GetUtcNow();
            _succeeded = Plus(_succeeded, duration);
            foreach (RequestTimings timings in pictures)
            {
                _queue = Plus(_queue, timings.Queue);
                _preprocess = Plus(_preprocess, timings.Decode + timings.Preprocess);
                _network = Plus(_network, timings.Network);
                _postprocess = Plus(_postprocess, timings.Postprocess);
            }
        }
    }

    public void Failed(TimeSpan duration)
    {
        lock (_lock)
            _failed = Plus(_failed, duration);
    }

    /// <summary>The network ran.</summary>
    public void Executed(int pictures, TimeSpan preprocess, TimeSpan network, TimeSpan postprocess)
    {
        lock (_lock)
        {
            _executions++;
            _inferences += pictures;
            if (!_batches.TryGetValue(pictures, out BatchStatistics? sum))
                sum = new BatchStatistics(pictures, default, default, default);
            _batches[pictures] = sum with
            {
                Preprocess = Plus(sum.Preprocess, preprocess),
                Network = Plus(sum.Network, network),
                Postprocess = Plus(sum.Postprocess, postprocess),
            };
        }
    }

    public ModelStatistics Snapshot(int queueLength)
    {
        lock (_lock)
        {
            return new ModelStatistics
            {
                LastInference = _last,
                Inferences = _inferences,
                Executions = _executions,
                Succeeded = _succeeded,
                Failed = _failed,
                Queue = _queue,
                Preprocess = _preprocess,
                Network = _network,
                Postprocess = _postprocess,
                Batches = [.. _batches.Values],
                QueueLength = queueLength,
            };
        }
    }

    private static DurationCount Plus(DurationCount sum, TimeSpan one) => new(sum.Count + 1, sum.Total + one);
}
