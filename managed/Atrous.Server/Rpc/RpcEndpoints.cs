using Atrous.Server.Rpc.Wire;
using Grpc.Reflection;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Alpha = Grpc.Reflection.V1Alpha;
using HealthService = Grpc.Health.V1.Health;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Atrous.Server.Rpc;

/// <summary>gRPC: inference.GRPCInferenceService, grpc.health.v1.Health and reflection.</summary>
internal static class RpcEndpoints
{
    private const string Service = "inference.GRPCInferenceService";

    public static void AddServices(IServiceCollection services)
    {
        // The body's reader limits each message, and knows which call it is of.
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        ServiceDescriptor[] described =
        [
            GRPCInferenceService.Descriptor, HealthService.Descriptor, Alpha.ServerReflection.Descriptor,
            ServerReflection.Descriptor,
        ];
        services.AddSingleton(new ReflectionServiceImpl(described));
        services.AddSingleton(new ReflectionV1ServiceImpl(described));
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
        routes.MapGrpcService<ReflectionServiceImpl>();
        routes.MapGrpcService<ReflectionV1ServiceImpl>();
    }
}
