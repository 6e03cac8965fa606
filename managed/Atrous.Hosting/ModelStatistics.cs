namespace Atrous.Hosting;

/// <summary>How often something was done, and how long that took in all.</summary>
public readonly record struct DurationCount(long Count, TimeSpan Total);

/// <summary>The batches of one size.</summary>
/// <param name="BatchSize">Pictures in each.</param>
/// <param name="Preprocess">Decoding and pre-processing of their pictures; counted once per batch.</param>
/// <param name="Network">Runs of the network.</param>
/// <param name="Postprocess">From outputs to masks.</param>
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
