using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.Rpc;

/// <summary>What a failure means to a client of gRPC: the table of HTTP, in Triton's status codes.</summary>
internal static class RpcFailure
{
    /// <summary>The status of a call that ends so.</summary>
    /// <param name="exception">The exception that ended the call.</param>
    /// <param name="aborted">Whether the client went away before.</param>
    public static Status Of(Exception exception, bool aborted)
    {
        if (exception is RpcException rpc)
            return rpc.Status;
        var failure = HttpFailure.Of(exception, aborted);
        return new Status(CodeOf(failure.Status), failure.Message);
    }

    /// <summary>The exception that ends a call with a status of HTTP.</summary>
    public static RpcException Exception(int status, string message) => new(new Status(CodeOf(status), message));

    /// <summary>Ends a call before the service has it: an answer of headers alone.</summary>
    public static void Write(HttpResponse response, Status status)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = status.StatusCode.ToString("D");
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
    }

    private static StatusCode CodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
        StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status408RequestTimeout or StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
        HttpFailure.ClientClosedRequest => StatusCode.Cancelled,
        StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
        >= 500 => StatusCode.Internal,
        _ => StatusCode.InvalidArgument,
    };
}
