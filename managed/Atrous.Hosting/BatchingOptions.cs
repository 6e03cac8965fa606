namespace Atrous.Hosting;

/// <summary>How requests of a model wait and run together.</summary>
public sealed record BatchingOptions
{
    /// <summary>
    /// Most pictures of equal shape in one run; fewer where the device gains nothing by more
    /// (<see cref="Segmenter.BatchOf"/>).
    /// </summary>
    public int MaxBatch { get; init; } = 4;

    /// <summary>
    /// The longest time that a request waits for company while the device is idle. Zero runs it at once; batches then
    /// form while the device is busy.
    /// </summary>
    public TimeSpan MaxDelay { get; init; }

    /// <summary>Requests that may wait; one more is refused at once.</summary>
    public int QueueLimit { get; init; } = 64;

    /// <summary>The longest time from call to result; null for no limit.</summary>
    public TimeSpan? Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Levels of priority: 1 (served first) to this.</summary>
    public int PriorityLevels { get; init; } = 3;

    /// <summary>The level of requests that name none.</summary>
    public int DefaultPriority { get; init; } = 2;
}
