using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server.V1;

/// <summary>POST /v1/segment and its OpenAPI document.</summary>
internal static class SegmentEndpoints
{
    /// <summary>What the endpoints need.</summary>
    public static void AddServices(IServiceCollection services)
    {
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
    }
}
