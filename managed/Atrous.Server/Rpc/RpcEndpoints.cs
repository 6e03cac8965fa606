using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server.Rpc;

/// <summary>gRPC: inference.GRPCInferenceService, grpc.health.v1.Health and reflection.</summary>
internal static class RpcEndpoints
{
    private const string Service = "inference.GRPCInferenceService";

    public static void AddServices(IServiceCollection services)
    {
        // The body's reader limits each message, and knows which call it is of.
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks(health =>
        {
            health.Services.Clear();
            foreach (string name in new[] { "", Service })
                health.Services.Map(name, check => check.Tags.Contains("ready"));
        });
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<InferenceService>();
        routes.MapGrpcHealthChecksService();
        routes.MapGrpcReflectionService();
    }
}
