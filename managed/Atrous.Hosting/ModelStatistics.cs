namespace Atrous.Hosting;

/// <summary>How often something was done, and how long that took in all.</summary>
/// <param name="Count">How often it was measured.</param>
/// <param name="Total">The sum of all that was measured.</param>
public readonly record struct DurationCount(long Count, TimeSpan Total);

/// <summary>The batches of one size.</summary>
/// <param name="BatchSize">The number of pictures in each of these batches.</param>
/// <param name="Preprocess">The time to decode and pre-process their pictures, counted once a batch.</param>
/// <param name="Network">The time of the network's runs, one a batch.</param>
/// <param name="Postprocess">The time from the network's outputs to the masks, counted once a batch.</param>
public sealed record BatchStatistics(
    int BatchSize, DurationCount Preprocess, DurationCount Network, DurationCount Postprocess);

/// <summary>What a model has done since the process started. Reloading does not reset it.</summary>
public sealed record ModelStatistics
{
    /// <summary>When the last request ended well; null for never.</summary>
    public DateTimeOffset? LastInference { get; init; }

    /// <summary>Pictures (and tensors) that ran.</summary>
    public long Inferences { get; init; }

    /// <summary>Runs of the network: <see cref="Inferences"/> / Executions is the mean batch size.</summary>
    public long Executions { get; init; }

    /// <summary>Requests that ended well, from call to result.</summary>
    public DurationCount Succeeded { get; init; }

    /// <summary>Requests that failed: refused, timed out, cancelled, bad pictures.</summary>
    public DurationCount Failed { get; init; }

    /// <summary>Time in the queue of the requests that ended well.</summary>
    public DurationCount Queue { get; init; }

    /// <summary>Decoding and pre-processing of the requests that ended well.</summary>
    public DurationCount Preprocess { get; init; }

    /// <summary>The network's run of the requests that ended well.</summary>
    public DurationCount Network { get; init; }

    /// <summary>Post-processing of the requests that ended well.</summary>
    public DurationCount Postprocess { get; init; }

    /// <summary>By batch size, smallest first.</summary>
    public IReadOnlyList<BatchStatistics> Batches { get; init; } = [];

    /// <summary>Requests that wait now.</summary>
    public int QueueLength { get; init; }
}
