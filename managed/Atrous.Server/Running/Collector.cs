using Atrous.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Atrous.Server.Running;

/// <summary>
/// Sends metrics, traces and logs to a collector of OpenTelemetry, where one is named. What else there is to say of it
/// the variables of its specification say: OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME,
/// OTEL_TRACES_SAMPLER and so on.
/// </summary>
internal static class Collector
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT", Protocol = "OTEL_EXPORTER_OTLP_PROTOCOL",
        Timeout = "OTEL_EXPORTER_OTLP_TIMEOUT", ServiceName = "OTEL_SERVICE_NAME";

    private const string Grpc = "grpc", Http = "http/protobuf";

    /// <summary>Of the two protocols, each has a port of its own.</summary>
    private const int HttpPort = 4318;

    /// <summary>Puts the variables into the configuration, where the exporter looks for them.</summary>
    /// <returns>Whether there is a collector.</returns>
    /// <exception cref="UnavailableException">Its address is none, or needs an OpenSSL that is not there.</exception>
    public static bool Configure(IConfigurationManager configuration, ServerOptions options)
    {
        IConfigurationRoot variables = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        string? address = options.OtlpEndpoint ?? variables[Endpoint];
        if (string.IsNullOrEmpty(address))
            return false;
        configuration.AddInMemoryCollection(variables.AsEnumerable()
            .Where(row => row.Key.StartsWith("OTEL_", StringComparison.Ordinal)));
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            throw new UnavailableException(
                $"'{address}' is no address of an OpenTelemetry collector; give one such as http://localhost:4317.");
        if (uri.Scheme == "https")
            OpenSsl.Require($"The collector {address}");
        string? protocol = options.OtlpProtocol ?? configuration[Protocol];
        if (string.IsNullOrEmpty(protocol))
            protocol = uri.Port == HttpPort ? Http : Grpc;
        if (protocol is not (Grpc or Http))
            throw new UnavailableException(
                $"'{protocol}' is no protocol of OpenTelemetry that is spoken here; use {Grpc} or {Http}.");
        var own = new Dictionary<string, string?> { [Endpoint] = address, [Protocol] = protocol };
        // A collector that is gone must not hold up the end of the process.
        if (string.IsNullOrEmpty(configuration[Timeout]))
            own[Timeout] = "1000";
        configuration.AddInMemoryCollection(own);
        return true;
    }

    /// <summary>Beside Prometheus, which stays as it is.</summary>
    public static void AddServices(IServiceCollection services, IConfiguration configuration) =>
        services.AddOpenTelemetry()
            .ConfigureResource(resource =>
            {
                if (string.IsNullOrEmpty(configuration[ServiceName]))
                    resource.AddService(
                        "atrous", serviceVersion: typeof(Collector).Assembly.GetName().Version?.ToString(3));
            })
            .WithTracing(traces => traces
                .AddSource("Atrous")
                .AddAspNetCoreInstrumentation(requests => requests.Filter = IsTold))
            .WithLogging(configureBuilder: null, logs =>
            {
                logs.IncludeFormattedMessage = true;
                logs.IncludeScopes = true;
            })
            .UseOtlpExporter();

    /// <summary>Probes and scrapes come every few seconds and say nothing.</summary>
    private static bool IsTold(HttpContext context) =>
        context.Request.Path != "/metrics" && !HealthEndpoints.IsProbe(context.Request);
}
