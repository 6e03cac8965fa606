using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Atrous.Server.Running;

/// <summary>
/// One line a request, and its W3C trace context in the answer: the caller's trace where it sent one (traceparent), a
/// new one otherwise.
/// </summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        long start = Stopwatch.GetTimestamp();
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id })
        {
            context.Response.OnStarting(static state =>
            {
                (HttpResponse response, string parent) = ((HttpResponse, string))state;
                response.Headers.TraceParent = parent;
                return Task.CompletedTask;
            }, (context.Response, id));
        }
        await next(context);
        // Probes and scrapes come every few seconds and say nothing.
        LogLevel level = context.Request.Path.Value is "/livez" or "/readyz" or "/healthz" or "/metrics"
            ? LogLevel.Debug : LogLevel.Information;
        if (logger.IsEnabled(level))
        {
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            HttpRequest request = context.Request;
            Answered(logger, level, request.Method, request.Path, context.Response.StatusCode, milliseconds);
        }
    }

    [LoggerMessage(EventId = 1, Message = "{Method} {Path} {Status} in {Milliseconds:0.0} ms")]
    private static partial void Answered(
        ILogger logger, LogLevel level, string method, PathString path, int status, double milliseconds);
}
