using System.Globalization;
using System.Text.Json;
using Atrous.Files;
using Atrous.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace Atrous.Server;

/// <summary>
/// What a failure means to an HTTP client. This is the one table of it, for the server and for apps of one's own.
/// </summary>
/// <param name="Status">The status code of the answer, from 400 to 599.</param>
/// <param name="Message">One sentence that says what was wrong, and what to do.</param>
/// <param name="RetryAfter">How long to wait before the next try; null where none is advised.</param>
internal readonly record struct HttpFailure(int Status, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>The client went away; nobody reads the answer.</summary>
    public const int ClientClosedRequest = 499;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>A failure whose details are for the log, not for clients.</summary>
    private static HttpFailure Internal { get; } =
        new(StatusCodes.Status500InternalServerError, "An internal error; the server's log tells more.");

    /// <summary>The answer to anything that an endpoint of the server throws.</summary>
    /// <param name="exception">The exception that ended the request.</param>
    /// <param name="aborted">Whether the client went away before.</param>
    public static HttpFailure Of(Exception exception, bool aborted) => exception switch
    {
        _ when aborted => new(ClientClosedRequest, "The client went away."),
        ConnectionResetException or OperationCanceledException => new(ClientClosedRequest, "The client went away."),
        AtrousException explained => Of(explained),
        BadHttpRequestException bad => new(
            bad.StatusCode, bad.Message, bad.StatusCode == StatusCodes.Status503ServiceUnavailable ? Soon : null),
        JsonException json => new(StatusCodes.Status400BadRequest, $"The JSON is broken: {ForeignText.OfJson(json)}."),
        OutOfMemoryException => new(
            StatusCodes.Status503ServiceUnavailable, "Memory ran out; send smaller pictures, or fewer at a time.",
            Soon),
        _ => Internal,
    };

    /// <summary>The answer to a failure that Atrous explains.</summary>
    public static HttpFailure Of(AtrousException exception) => exception switch
    {
        ImageException or RequestException => new(StatusCodes.Status400BadRequest, exception.Message),
        PictureTooLargeException => new(StatusCodes.Status413PayloadTooLarge, exception.Message),
        UnknownModelException => new(StatusCodes.Status404NotFound, exception.Message),
        QueueFullException full => new(StatusCodes.Status503ServiceUnavailable, full.Message, full.RetryAfter),
        RequestTimeoutException => new(StatusCodes.Status504GatewayTimeout, exception.Message),
        // This machine has not what was configured, and will not have it soon.
        UnavailableException => new(StatusCodes.Status503ServiceUnavailable, exception.Message),
        // The memory's, the device's or the model's state, or a server elsewhere: it may go through a little later.
        MemoryException or DeviceException { IsLost: false } or ModelNotReadyException or DownloadException =>
            new(StatusCodes.Status503ServiceUnavailable, exception.Message, Soon),
        // Of the model, the precision, or the numbers that the client sent.
        ScoreException => new(StatusCodes.Status500InternalServerError, exception.Message),
        // What the client cannot help and waiting does not either: files of the service's own, a device that is lost
        // to this process, Atrous's own faults, and every kind that has no row here.
        _ => Internal,
    };

    /// <summary>Sets the status and the header Retry-After.</summary>
    public void Begin(HttpResponse response)
    {
        response.StatusCode = Status;
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The failure as RFC 9457 has it.</summary>
    public ProblemDetails ToProblem() => new()
    {
        Type = "about:blank",
        Status = Status,
        Title = ReasonPhrases.GetReasonPhrase(Status),
        Detail = Message,
    };

    /// <summary>Writes a problem as the body, whatever the client says that it accepts.</summary>
    public static Task WriteAsync(HttpResponse response, ProblemDetails problem, CancellationToken cancellationToken) =>
        response.WriteAsJsonAsync(
            problem, ServerJson.Web.ProblemDetails, "application/problem+json", cancellationToken);
}
