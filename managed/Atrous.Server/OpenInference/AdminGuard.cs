using System.Net;
using Atrous.Server.Rpc;
using Atrous.Server.Running;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Who may load and unload models: nobody unless the options permit it, and no web page. A browser sends a page's
/// requests to any server that it reaches, also to one behind a firewall or on its own machine; those have an origin,
/// or a content type that needs no leave, or a host's name that the page's owner has led here.
/// </summary>
internal sealed class AdminGuard(ServerOptions options)
{
    /// <summary>
    /// What clients send, and browsers only after they have asked the server (CORS). Forms, reports and pings have
    /// other types.
    /// </summary>
    private static readonly string[] Types = ["application/json", "application/octet-stream"];

    /// <exception cref="ProtocolException">The request is refused, with 401, 403 or 415.</exception>
    public void Check(HttpRequest request)
    {
        if (!options.Admin)
            throw Forbidden(
                "Loading and unloading models is switched off here; start the server with its admin option to permit "
                + "it.");
        TokenGuard.Check(request, options);
        // One that was shown was vouched for, or there would be no connection.
        if (options.TlsClientCa is not null && request.HttpContext.Connection.ClientCertificate is null)
            throw Forbidden(
                "Loading and unloading models needs a client's certificate here; connect with one that the server "
                + "knows.");
        if (!IsOurName(request.Host.Host))
            throw Forbidden(
                $"Models are not loaded or unloaded by the name {ProtocolException.Quote(request.Host.Host)}; use the "
                + "server's address, or start it with that name as an admin host.");
        if (IsForeign(request))
            throw Forbidden("Models are not loaded or unloaded by web pages of another origin.");
        // Calls of gRPC have a type of their own, which no page may send without leave either.
        bool isOurs = string.IsNullOrEmpty(request.ContentType) || RpcCalls.IsCall(request)
            || (MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && Types.Contains(type.MediaType.ToString(), StringComparer.OrdinalIgnoreCase));
        if (!isOurs)
            throw new ProtocolException(
                "A request to load or unload a model has the content type application/json.",
                StatusCodes.Status415UnsupportedMediaType);
    }

    private static ProtocolException Forbidden(string message) => new(message, StatusCodes.Status403Forbidden);

    private bool IsOurName(string host) =>
        IPAddress.TryParse(host.Trim('[', ']'), out _)
        || options.AdminHosts.Append("localhost").Append(Environment.MachineName).Append(options.Host)
            .Contains(host, StringComparer.OrdinalIgnoreCase);

    private static bool IsForeign(HttpRequest request)
    {
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        string origin = request.Headers.Origin.ToString();
        return (site.Length > 0 && site is not ("same-origin" or "none"))
            || (origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? from)
                && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)));
    }
}
