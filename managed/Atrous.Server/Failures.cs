using Atrous.Server.OpenInference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Atrous.Server;

/// <summary>
/// Turns what endpoints throw into answers: {"error": ...} under /v2, as clients of the Open Inference Protocol parse
/// it, ProblemDetails elsewhere. Endpoints throw, and never write an error themselves; what routing refuses (404, 405)
/// gets the same form.
/// </summary>
internal sealed partial class Failures(RequestDelegate next, ILogger<Failures> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception e)
        {
            HttpFailure failure = HttpFailure.Of(e, context.RequestAborted.IsCancellationRequested);
            if (failure.Status == StatusCodes.Status500InternalServerError)
                Unexpected(logger, e, context.Request.Method, context.Request.Path);
            if (context.Response.HasStarted)
            {
                // Half an answer must not look like a whole one.
                context.Abort();
                return;
            }
            await Write(context, failure);
            return;
        }
        HttpResponse response = context.Response;
        if (response is { StatusCode: >= 400, HasStarted: false, ContentType: null, ContentLength: null or 0 })
            await Write(context, new HttpFailure(response.StatusCode, Refusal(context)), clear: false);
    }

    private static string Refusal(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => $"There is nothing at {context.Request.Path}.",
        StatusCodes.Status405MethodNotAllowed =>
            $"{context.Request.Path} does not take {context.Request.Method}; use {context.Response.Headers.Allow}.",
        var status => $"{ReasonPhrases.GetReasonPhrase(status)}.",
    };

    private static async Task Write(HttpContext context, HttpFailure failure, bool clear = true)
    {
        HttpResponse response = context.Response;
        if (clear)
            response.Clear();
        failure.Begin(response);
        // What is left of the body is not worth keeping the connection for; a client that knows does not try.
        if (failure.Status == StatusCodes.Status413PayloadTooLarge)
            response.Headers.Connection = "close";
        // Kestrel throws it away for some seconds before it closes, but only as much as the limit allows. A client that
        // sends all before it listens, as most do, would find the connection reset and never learn why.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } unread)
            unread.MaxRequestBodySize = null;
        if (failure.Status == HttpFailure.ClientClosedRequest)
            return;
        if (context.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal))
        {
            await response.WriteAsJsonAsync(new ErrorDocument(failure.Message), ServerJson.Web.ErrorDocument);
            return;
        }
        await HttpFailure.WriteAsync(response, failure.ToProblem(), CancellationToken.None);
    }

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void Unexpected(ILogger logger, Exception exception, string method, PathString path);
}
