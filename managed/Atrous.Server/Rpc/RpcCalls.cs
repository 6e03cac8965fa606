using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Atrous.Server.Rpc;

/// <summary>Gives every call of gRPC a body within the server's limits.</summary>
internal sealed class RpcCalls(RequestDelegate next, BodyBudget budget, ServerOptions options)
{
    /// <summary>All other calls ask with a name or two.</summary>
    private const int SmallMessage = 64 << 10;

    private const string Infer = "/inference.GRPCInferenceService/ModelInfer",
        StreamInfer = "/inference.GRPCInferenceService/ModelStreamInfer";

    /// <summary>Whether a request is a call of gRPC, by its content type.</summary>
    public static bool IsCall(HttpRequest request) =>
        request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!IsCall(context.Request))
        {
            await next(context);
            return;
        }
        if (context.Request.Headers["grpc-encoding"].ToString() is not ("" or "identity"))
        {
            // Pictures are compressed already, and what a message becomes is known before it is read.
            context.Response.Headers["grpc-accept-encoding"] = "identity";
            RpcFailure.Write(
                context.Response,
                new Status(StatusCode.Unimplemented, "Compressed messages are not served; send identity."));
            return;
        }
        // A stream has no size; its messages have.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        bool infers = context.Request.Path.Value is Infer or StreamInfer;
        using var body = new MeteredBody(
            context.Request.BodyReader, budget, BodyBudget.ClientOf(context.Connection.RemoteIpAddress),
            options.Limits, infers ? options.Limits.MaxBodyBytes : SmallMessage, infers ? MessageCost.Of : null);
        context.Features.Set<IRequestBodyPipeFeature>(new Feature(body));
        context.Features.Set(body);
        await next(context);
    }

    private sealed class Feature(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}
