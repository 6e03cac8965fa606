using System.Net;
using System.Net.Sockets;
using System.Text;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.Soak;

/// <summary>
/// Connections that are no clients: killed in the middle, noise, and those that never come to an end.
/// </summary>
internal static class HostileConnection
{
    /// <summary>
    /// The server's own limits are ten seconds for headers, and five of grace for bodies and readers.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly byte[] Photo = Workplace.Photo(60, 60);

    /// <summary>Sends a part of a request, or all of it, and is killed: reset, without a word.</summary>
    public static async Task Kill(IPEndPoint server, Random random)
    {
        byte[] request =
            Request($"POST /v1/segment HTTP/1.1\r\nHost: x\r\nContent-Length: {Photo.Length}\r\n\r\n", Photo);
        using TcpClient client = await Connect(server);
        await client.GetStream()
            .WriteAsync(request.AsMemory(0, random.Next(3) == 0 ? request.Length : random.Next(request.Length)));
        await Task.Delay(random.Next(20));
        client.LingerState = new LingerOption(true, 0);
    }

    /// <summary>Bytes that are not HTTP; the server says so, or hangs up.</summary>
    public static async Task<string?> Babble(IPEndPoint server, Random random)
    {
        byte[] noise = new byte[random.Next(1, 2000)];
        random.NextBytes(noise);
        using TcpClient client = await Connect(server);
        NetworkStream stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Request("", [.. noise, .. "\r\n\r\n"u8]));
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            string answer = await reader.ReadToEndAsync().WaitAsync(Patience);
            return answer.Length == 0 || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal)
                ? null
                : $"noise: {answer}";
        }
        catch (Exception e) when (IsHangUp(e))
        {
            return null;
        }
    }

    /// <summary>Headers that never end, a letter at a time.</summary>
    public static Task<string?> SlowHeaders(IPEndPoint server, CancellationToken cancellationToken) =>
        Drip(server, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ", cancellationToken);

    /// <summary>A body that never ends, a byte at a time.</summary>
    public static Task<string?> SlowBody(IPEndPoint server, CancellationToken cancellationToken) =>
        Drip(server, "POST /v1/segment HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", cancellationToken);

    /// <summary>
    /// Asks and asks, and reads no answer. The server may keep it for the minutes that the slowest permitted reader
    /// would take, as long as nobody else waits for it.
    /// </summary>
    public static async Task<string?> Deaf(IPEndPoint server, CancellationToken cancellationToken)
    {
        byte[] request =
            Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 20)));
        await UntilHungUp(server, "reads nothing", async (stream, cancellationToken) =>
        {
            await stream.WriteAsync(request, cancellationToken);
            await Task.Delay(20, cancellationToken);
        }, cancellationToken);
        return null;
    }

    private static Task<string?> Drip(IPEndPoint server, string beginning, CancellationToken cancellationToken)
    {
        bool begun = false;
        return UntilHungUp(server, beginning.Split('\r')[0] + ", slowly", async (stream, cancellationToken) =>
        {
            await stream.WriteAsync(begun ? "x"u8.ToArray() : Encoding.ASCII.GetBytes(beginning), cancellationToken);
            begun = true;
            await Task.Delay(250, cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Goes on until the server has had enough; it is a fault when it never has.</summary>
    private static async Task<string?> UntilHungUp(
        IPEndPoint server, string name, Func<NetworkStream, CancellationToken, Task> step,
        CancellationToken cancellationToken)
    {
        using TcpClient client = await Connect(server);
        NetworkStream stream = client.GetStream();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            while (true)
                await step(stream, patience.Token);
        }
        catch (Exception e) when (IsHangUp(e))
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            return cancellationToken.IsCancellationRequested ? null : $"{name}: still connected after {Patience}";
        }
    }

    private static bool IsHangUp(Exception e) => e is SocketException or IOException;

    private static async Task<TcpClient> Connect(IPEndPoint server)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server);
        return client;
    }

    private static byte[] Request(string headers, byte[] body) => [.. Encoding.ASCII.GetBytes(headers), .. body];
}
