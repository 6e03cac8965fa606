using System.Text.Json;
using Atrous.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>What a failure means to an HTTP client.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Message">One sentence.</param>
/// <param name="RetryAfter">When to try again.</param>
internal readonly record struct HttpFailure(int Status, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>The client went away; nobody reads the answer.</summary>
    public const int ClientClosedRequest = 499;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <param name="exception">What was thrown.</param>
    /// <param name="aborted">Cancelled when the client went away.</param>
    public static HttpFailure Of(Exception exception, CancellationToken aborted) => exception switch
    {
        _ when aborted.IsCancellationRequested => new(ClientClosedRequest, "The client went away."),
        ConnectionResetException or OperationCanceledException => new(ClientClosedRequest, "The client went away."),
        QueueFullException full => new(StatusCodes.Status503ServiceUnavailable, full.Message, full.RetryAfter),
        ModelNotReadyException => new(StatusCodes.Status503ServiceUnavailable, exception.Message, Soon),
        RequestTimeoutException => new(StatusCodes.Status504GatewayTimeout, exception.Message),
        UnknownModelException => new(StatusCodes.Status404NotFound, exception.Message),
        BadHttpRequestException bad => new(
            bad.StatusCode, bad.Message, bad.StatusCode == StatusCodes.Status503ServiceUnavailable ? Soon : null),
        JsonException json => new(StatusCodes.Status400BadRequest, $"The JSON is broken: {json.Message}"),
        ImageException or ModelException or UnavailableException =>
            new(StatusCodes.Status400BadRequest, exception.Message),
        // A failure that Atrous explains and that is neither the picture's nor the request's is the memory's or the
        // device's: the same request may go through a little later, or elsewhere.
        AtrousException => new(StatusCodes.Status503ServiceUnavailable, exception.Message, Soon),
        OutOfMemoryException =>
            new(StatusCodes.Status503ServiceUnavailable, "Memory ran out; send smaller pictures, or fewer at a time.",
            Soon),
        _ => new(StatusCodes.Status500InternalServerError, "An internal error; the server's log tells more."),
    };
}
