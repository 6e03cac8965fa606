using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Atrous.Server.Running;

/// <summary>
/// Connections that send nothing, and clients that take all places: the first byte has the time that headers have, and
/// one client half of the connections. Beyond that its oldest one that has sent nothing makes room. Kestrel by itself
/// begins to count with the first byte.
/// </summary>
internal sealed class ConnectionGate(ServerLimits limits)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Client> _clients = new(StringComparer.Ordinal);

    private int MostOfClient => Math.Max(1, limits.MaxConnections / 2);

    /// <summary>Puts it before all that an endpoint does.</summary>
    public void Guard(ListenOptions endpoint) => endpoint.Use(next => connection => PassAsync(connection, next));

    private async Task PassAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        string name = BodyBudget.ClientOf((connection.RemoteEndPoint as IPEndPoint)?.Address);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        LinkedListNode<CancellationTokenSource>? place = Enter(name, patience);
        if (place is null)
            return;
        try
        {
            patience.CancelAfter(limits.HeaderTimeout);
            if (await BeginsAsync(connection, place))
                await next(connection);
        }
        finally
        {
            Leave(name, place);
        }
    }

    /// <summary>A place among those that have sent nothing; null where the client has too many that have.</summary>
    private LinkedListNode<CancellationTokenSource>? Enter(string name, CancellationTokenSource patience)
    {
        CancellationTokenSource? oldest = null;
        LinkedListNode<CancellationTokenSource> place;
        lock (_lock)
        {
            if (!_clients.TryGetValue(name, out Client? client))
                _clients.Add(name, client = new Client());
            if (client.Count >= MostOfClient)
            {
                if (client.Silent.First is not { } first)
                    return null;
                oldest = first.Value;
                client.Silent.Remove(first);
            }
            client.Count++;
            place = client.Silent.AddLast(patience);
        }
        try
        {
            oldest?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Its time was up at the same moment.
            return place;
        }
        return place;
    }

    private void Leave(string name, LinkedListNode<CancellationTokenSource> place)
    {
        lock (_lock)
        {
            Client client = _clients[name];
            place.List?.Remove(place);
            // So that the table has no more rows than there are connections.
            if (--client.Count == 0)
                _clients.Remove(name);
        }
    }

    /// <summary>Waits for the first byte, which stays to be read.</summary>
    private async Task<bool> BeginsAsync(
        ConnectionContext connection, LinkedListNode<CancellationTokenSource> place)
    {
        try
        {
            ReadResult first = await connection.Transport.Input.ReadAsync(place.Value.Token);
            bool begins = !first.Buffer.IsEmpty;
            connection.Transport.Input.AdvanceTo(first.Buffer.Start);
            lock (_lock)
                place.List?.Remove(place);
            return begins;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return false;
        }
    }

    private sealed class Client
    {
        public int Count { get; set; }

        /// <summary>Of its connections those that have sent nothing, the oldest first.</summary>
        public LinkedList<CancellationTokenSource> Silent { get; } = [];
    }
}
