using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Atrous.Server.Running;

/// <summary>/metrics: the meter "Atrous" and those of ASP.NET Core, as Prometheus reads them.</summary>
internal static class Metrics
{
    public static void AddServices(IServiceCollection services) =>
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter("Atrous", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
        .AddPrometheusExporter());

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint(
        "/metrics", meterProvider: null, configureBranchedPipeline: branch => branch.Use(LetGoAsync),
        optionsName: null);

    /// <summary>
    /// The exporter collects nothing new while an answer is being written. It writes to memory, so that a client that
    /// does not read its answer keeps nobody else's.
    /// </summary>
    private static async Task LetGoAsync(HttpContext context, RequestDelegate exporter)
    {
        Stream client = context.Response.Body;
        using var text = new MemoryStream();
        context.Response.Body = text;
        try
        {
            await exporter(context);
        }
        finally
        {
            context.Response.Body = client;
        }
        await client.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length), context.RequestAborted);
    }
}
