using System.Security.Cryptography;
using System.Text;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.Running;

/// <summary>Lets nobody ask without the server's token but probes of health.</summary>
internal sealed class TokenGuard(RequestDelegate next, ServerOptions options)
{
    private const string Scheme = "Bearer ",
        Message = "This needs the server's token; send it as Authorization: Bearer TOKEN.";

    public Task InvokeAsync(HttpContext context)
    {
        if (HealthEndpoints.IsProbe(context.Request) || HasToken(context.Request, options.Token!))
            return next(context);
        if (!RpcCalls.IsCall(context.Request))
            throw Refusal(context);
        RpcFailure.Write(context.Response, new Status(StatusCode.Unauthenticated, Message));
        return Task.CompletedTask;
    }

    /// <summary>For what needs the token even where nothing else does.</summary>
    /// <exception cref="ProtocolException">401: there is a token, and the request has not got it.</exception>
    public static void Check(HttpRequest request, ServerOptions options)
    {
        if (options.Token is { } token && !HasToken(request, token))
            throw Refusal(request.HttpContext);
    }

    private static ProtocolException Refusal(HttpContext context)
    {
        context.Response.OnStarting(() =>
        {
            context.Response.Headers.WWWAuthenticate = Scheme.Trim();
            return Task.CompletedTask;
        });
        return new ProtocolException(Message, StatusCodes.Status401Unauthorized);
    }

    /// <summary>Compares hashes, whose comparison tells nothing of how much was right.</summary>
    private static bool HasToken(HttpRequest request, string token)
    {
        string given = request.Headers.Authorization.ToString();
        return given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(HashOf(given[Scheme.Length..].Trim()), HashOf(token));
    }

    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
