using Atrous.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server;

/// <summary>Lets an ASP.NET app answer the exceptions of Atrous.</summary>
public static class AtrousProblemDetailsExtensions
{
    /// <summary>
    /// Adds an exception handler that answers every <see cref="AtrousException"/> with ProblemDetails (RFC 9457) and
    /// the status that <see cref="AtrousServer"/> gives: 400 for an <see cref="ImageException"/>, 503 with Retry-After
    /// for a <see cref="QueueFullException"/> or a <see cref="MemoryException"/>, 504 for a
    /// <see cref="RequestTimeoutException"/>. Where the fault is the service's own (a <see cref="ModelException"/>, an
    /// <see cref="OutputException"/>) the answer is 500 without details, and the log has them. The app must also call
    /// <see cref="ExceptionHandlerExtensions.UseExceptionHandler(IApplicationBuilder)"/>.
    /// </summary>
    /// <param name="services">The app's services, to which the handler is added.</param>
    /// <returns>The same services, so that calls can be chained.</returns>
    public static IServiceCollection AddAtrousProblemDetails(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddProblemDetails().AddExceptionHandler<AtrousExceptionHandler>();
    }
}
