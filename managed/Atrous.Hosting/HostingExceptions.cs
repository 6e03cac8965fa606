namespace Atrous.Hosting;

/// <summary>The model's queue has no place for the request. Try again later.</summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
/// <param name="retryAfter">When a place can be expected; at least one second.</param>
public sealed class QueueFullException(string message, TimeSpan retryAfter) : AtrousException(message)
{
    /// <summary>When a place can be expected, from the measured rate; at least one second.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>
/// A request that no queue takes: its priority is none of the model's levels, its timeout allows no result, or it has
/// more pictures than the queue has places. Retrying is useless.
/// </summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
public sealed class RequestException(string message) : AtrousException(message);

/// <summary>
/// The header of a picture file says that it has more pixels than <see cref="AtrousOptions.MaxPixels"/>. Nothing of it
/// was decoded; scaled down, it is taken.
/// </summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
public sealed class PictureTooLargeException(string message) : AtrousException(message);

/// <summary>There is no model of this name.</summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
public sealed class UnknownModelException(string message) : AtrousException(message);

/// <summary>The model is not loaded, or the service is stopping.</summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
/// <param name="state">What the model does instead of answering.</param>
public sealed class ModelNotReadyException(string message, ModelState state) : AtrousException(message)
{
    public ModelState State { get; } = state;
}
