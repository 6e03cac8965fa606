using System.Text.Json;
using Atrous.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Atrous.Server;

/// <summary>What a failure means to an HTTP client.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Message">One sentence.</param>
/// <param name="RetryAfter">When to try again.</param>
internal readonly record struct HttpFailure(int Status, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>The client went away; nobody reads the answer.</summary>
    public const int ClientClosedRequest = 499;

    public static HttpFailure Of(Exception exception) => exception switch
    {
        QueueFullException full => new(StatusCodes.Status503ServiceUnavailable, full.Message, full.RetryAfter),
        ModelNotReadyException => new(StatusCodes.Status503ServiceUnavailable, exception.Message, TimeSpan.FromSeconds(1)),
        RequestTimeoutException => new(StatusCodes.Status504GatewayTimeout, exception.Message),
        UnknownModelException => new(StatusCodes.Status404NotFound, exception.Message),
        BadHttpRequestException bad => new(bad.StatusCode, bad.Message),
        ImageException or ModelException or UnavailableException => new(StatusCodes.Status400BadRequest, exception.Message),
        OperationCanceledException => new(ClientClosedRequest, "The request was cancelled."),
        AtrousException => new(StatusCodes.Status500InternalServerError, exception.Message),
        OutOfMemoryException => new(StatusCodes.Status503ServiceUnavailable, "Memory ran out; send smaller pictures or fewer at a time.", TimeSpan.FromSeconds(1)),
        _ => new(StatusCodes.Status500InternalServerError, "An internal error; the server's log tells more."),
    };
}

/// <summary>
/// Turns what endpoints throw into answers: {"error": ...} under /v2, as clients of the Open Inference Protocol parse it,
/// ProblemDetails elsewhere. Endpoints throw, and never write an error themselves.
/// </summary>
internal sealed class Failures(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Write(context, HttpFailure.Of(e));
        }
    }

    private static Task Write(HttpContext context, HttpFailure failure)
    {
        HttpResponse response = context.Response;
        response.Clear();
        response.StatusCode = failure.Status;
        if (failure.RetryAfter is { } wait)
            response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (context.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal))
            return response.WriteAsJsonAsync(new Dictionary<string, string> { ["error"] = failure.Message });
        var problem = new ProblemDetails { Status = failure.Status, Detail = failure.Message };
        return response.WriteAsJsonAsync(problem, (JsonSerializerOptions?)null, "application/problem+json");
    }
}
