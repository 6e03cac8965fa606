using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Atrous.Server.Running;

/// <summary>/metrics: the meter "Atrous" and those of ASP.NET Core, as Prometheus reads them.</summary>
internal static class Metrics
{
    public static void AddServices(IServiceCollection services) => services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter("Atrous", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
        .AddPrometheusExporter());

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint("/metrics");
}
