namespace Atrous.Hosting;

/// <summary>The model's queue has no place for the request. Try again later.</summary>
public sealed class QueueFullException(string message, TimeSpan retryAfter) : AtrousException(message)
{
    /// <summary>When a place can be expected, from the measured rate; at least one second.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>There is no model of this name.</summary>
public sealed class UnknownModelException(string message) : AtrousException(message);

/// <summary>The model is not loaded, or the service is stopping.</summary>
public sealed class ModelNotReadyException(string message, ModelState state) : AtrousException(message)
{
    public ModelState State { get; } = state;
}
