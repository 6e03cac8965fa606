using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server.OpenInference;

/// <summary>The Open Inference Protocol, version 2: /v2.</summary>
internal static class OpenInferenceEndpoints
{
    /// <summary>What the endpoints need.</summary>
    public static void AddServices(IServiceCollection services)
    {
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
    }
}
