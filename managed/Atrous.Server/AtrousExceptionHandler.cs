using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;

namespace Atrous.Server;

/// <summary>
/// Answers the exceptions of Atrous in an ASP.NET app as the server itself does, with ProblemDetails. Other exceptions
/// are left to the handlers after it.
/// </summary>
internal sealed class AtrousExceptionHandler(IProblemDetailsService problems, ILogger<AtrousExceptionHandler> logger)
    : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(
        HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not AtrousException explained)
            return false;
        var failure = HttpFailure.Of(explained);
        // ASP.NET logs nothing of what a handler has taken.
        if (failure.Status == StatusCodes.Status500InternalServerError)
            Failures.Unexpected(logger, exception, context.Request.Method, context.Request.Path);
        failure.Begin(context.Response);
        ProblemDetails problem = failure.ToProblem();
        // The app may have its own form of problems. It has none for a client that accepts pictures alone.
        var answer = new ProblemDetailsContext
        {
            HttpContext = context,
            Exception = exception,
            ProblemDetails = problem,
        };
        if (!await problems.TryWriteAsync(answer))
            await HttpFailure.WriteAsync(context.Response, problem, cancellationToken);
        return true;
    }
}
