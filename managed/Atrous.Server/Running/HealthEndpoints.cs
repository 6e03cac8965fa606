using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Atrous.Server.Running;

/// <summary>
/// /livez (and /healthz): the process answers. /readyz: every model is warm and the server is not leaving; 503
/// otherwise.
/// </summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/livez", With("live"));
        routes.MapHealthChecks("/healthz", With("live"));
        routes.MapHealthChecks("/readyz", With("ready"));
    }

    private static HealthCheckOptions With(string tag) => new()
    {
        Predicate = check => check.Tags.Contains(tag),
        ResponseWriter = Write,
    };

    private static Task Write(HttpContext context, HealthReport report)
    {
        string[] reasons =
            [.. report.Entries.Values.Where(entry => entry.Status != HealthStatus.Healthy)
            .Select(entry => entry.Description ?? "")];
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            (reasons.Length == 0 ? "ok" : string.Join("; ", reasons)) + "\n", context.RequestAborted);
    }
}
