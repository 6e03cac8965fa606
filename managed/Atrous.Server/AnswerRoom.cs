using Atrous.Hosting;
using Atrous.Hosting.Requests;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>
/// The part of the pictures' memory that is needed beside a model's own calls: for several pictures of a request, and
/// for answers that are larger than a mask.
/// </summary>
internal sealed class AnswerRoom(PictureBudget budget, TimeProvider time)
{
    /// <summary>The memory that there is in all.</summary>
    public long Most => budget.Most;

    /// <summary>
    /// Ends the writing of an answer that a client reads too slowly: others wait for the memory that it holds.
    /// </summary>
    /// <param name="limits">Say how slowly it may read.</param>
    /// <param name="bytes">How long the answer is, roughly.</param>
    /// <param name="cancellationToken">Cancelled when the client is gone.</param>
    public static CancellationTokenSource Deadline(
        ServerLimits limits, long bytes, CancellationToken cancellationToken)
    {
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limits.BodyTimeout + TimeSpan.FromSeconds(bytes / limits.MinAnswerBytesPerSecond));
        return deadline;
    }

    /// <summary>Takes memory until what is returned is disposed. Who asks holds no other part of it.</summary>
    /// <param name="bytes">What it takes, roughly.</param>
    /// <param name="what">What it is, in the plural, for the message.</param>
    /// <param name="model">Whose queue limits how many may wait, and how long.</param>
    /// <param name="timeout">The request's own limit; null for none.</param>
    /// <param name="cancellationToken">Ends the waiting for a turn.</param>
    /// <exception cref="PictureTooLargeException">It is more than all pictures may take.</exception>
    /// <exception cref="BadHttpRequestException">503: too many wait.</exception>
    /// <exception cref="RequestTimeoutException">There was no room in time.</exception>
    public async Task<IDisposable> TakeAsync(
        long bytes, string what, IServedModel model, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (bytes > budget.Most)
        {
            throw new PictureTooLargeException(
                $"The {what} of this request would take {bytes >> 20} MiB of memory, and all pictures have "
                + $"{budget.Most >> 20} MiB; send a smaller picture, fewer of them, or ask for another format.");
        }
        if (budget.Waiting >= model.Batching.QueueLimit)
        {
            throw new BadHttpRequestException(
                "Too many pictures wait for memory at this moment; try again later.",
                StatusCodes.Status503ServiceUnavailable);
        }
        TimeSpan? limit = timeout is { } own && !(own > model.Batching.Timeout) ? own : model.Batching.Timeout;
        return await budget.TakeAsync(bytes, limit, time, cancellationToken);
    }
}
