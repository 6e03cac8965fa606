using Microsoft.AspNetCore.Routing;

namespace Atrous.Server.Web;

/// <summary>The page at /.</summary>
internal static class WebPage
{
    public static void Map(IEndpointRouteBuilder routes)
    {
    }
}
