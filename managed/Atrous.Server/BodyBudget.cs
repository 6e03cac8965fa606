using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>
/// What all bodies in memory may hold together. One client has a share of it, and a part is kept for small bodies, of
/// that client too, so that nobody who sends large ones slowly keeps others out.
/// </summary>
internal sealed class BodyBudget(ServerOptions options)
{
    /// <summary>A body up to this size is small: most pictures are.</summary>
    public const int Small = 1 << 20;

    private const int ShareOfClient = 4, ShareOfSmall = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _clients = new(StringComparer.Ordinal);
    private long _held;

    /// <summary>Bytes held now.</summary>
    public long Held
    {
        get
        {
            lock (_lock)
                return _held;
        }
    }

    private ServerLimits Limits => options.Limits;

    /// <summary>What one client may hold: the largest body must fit, whatever the share.</summary>
    public long MostOfClient =>
        Math.Min(Limits.MaxBufferedBytes, Math.Max(Limits.MaxBufferedBytes / ShareOfClient, Limits.MaxBodyBytes + 1));

    private long KeptForSmall => Limits.MaxBufferedBytes / ShareOfSmall;

    /// <summary>Who a connection counts for: an address, or the network of one with IPv6, which has many.</summary>
    public static string ClientOf(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    /// <summary>Takes more for a body.</summary>
    /// <param name="client">Who sends it (<see cref="ClientOf"/>).</param>
    /// <param name="bytes">How much more the body takes.</param>
    /// <param name="size">What the body has then.</param>
    /// <exception cref="BadHttpRequestException">503: there is no room.</exception>
    public void Charge(string client, long bytes, long size)
    {
        lock (_lock)
        {
            long mine = _clients.GetValueOrDefault(client) + bytes;
            bool isSmall = size <= Small;
            if (_held + bytes > Limits.MaxBufferedBytes - (isSmall ? 0 : KeptForSmall))
                throw Full("Too many large bodies are being received at this moment; try again later.");
            if (mine > MostOfClient + (isSmall ? KeptForSmall : 0))
                throw Full("Too many bodies of this client are being received at this moment; send fewer at a time.");
            _held += bytes;
            _clients[client] = mine;
        }
    }

    public void Refund(string client, long bytes)
    {
        if (bytes == 0)
            return;
        lock (_lock)
        {
            _held -= bytes;
            long left = _clients[client] - bytes;
            if (left == 0)
                _clients.Remove(client);
            else
                _clients[client] = left;
        }
    }

    private static BadHttpRequestException Full(string message) =>
        new(message, StatusCodes.Status503ServiceUnavailable);
}
