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
    private static readonly string[] Probes =
    [
        "/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready", "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
    ];

    /// <summary>Whether a request asks for the server's health, in any of its forms.</summary>
    public static bool IsProbe(HttpRequest request) => Probes.Contains(request.Path.Value, StringComparer.Ordinal);

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
