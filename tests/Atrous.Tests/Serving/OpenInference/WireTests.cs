using System.Net.Sockets;
using System.Text;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>
/// Bytes on the wire: what the Python tritonclient was seen to send, and connections that end too early.
/// </summary>
public sealed class WireTests(ProtocolServer server) : IClassFixture<ProtocolServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Recorded from tritonclient's http client on geventhttpclient 2.0.8: header names in lower case, no Content-Type,
    /// no Accept, the tensor right behind the JSON.
    /// </summary>
    private const string Recorded =
        """{"id":"42","inputs":[{"name":"image","shape":[1,1,2,3],"datatype":"UINT8","parameters":{"binary_data_size":6}}],"parameters":{"priority":1,"timeout":30000000,"binary_data_output":true}}""";

    [Fact]
    public async Task The_recorded_request_is_answered_twice_on_one_connection()
    {
        using TcpClient connection = await ConnectAsync();
        NetworkStream stream = connection.GetStream();
        for (int i = 0; i < 2; i++)
        {
            await stream.WriteAsync(RecordedRequest());
            (string headers, byte[] body) = await ReadAnswerAsync(stream);
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", headers);
            int length = int.Parse(HeaderOf(headers, Protocol.HeaderLength));
            Assert.Contains("\"id\":\"42\"", Encoding.UTF8.GetString(body, 0, length));
            Assert.Equal(length + 2 * (sizeof(byte) + sizeof(float)), body.Length);
        }
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_middle_harms_nobody()
    {
        byte[] request = RecordedRequest();
        foreach (int sent in (int[])[10, request.Length / 2, request.Length - 1, request.Length])
        {
            using TcpClient connection = await ConnectAsync();
            await connection.GetStream().WriteAsync(request.AsMemory(0, sent));
            // Reset instead of a polite end.
            connection.LingerState = new LingerOption(true, 0);
        }
        HttpRequestMessage raw = Protocol.Post(Protocol.Infer, Workplace.Photo());
        raw.Headers.Add(Protocol.HeaderLength, "0");
        (await server.Http.AskAsync(raw)).Succeeds();
    }

    /// <summary>Far more than sockets hold, so that a connection reset under the sender would show.</summary>
    [Theory]
    [InlineData("/v2/models/street/infer", 413, "The body is larger")]
    [InlineData("/v2/models/nobody/infer", 404, "There is no model")]
    [InlineData("/v1/segment", 413, "The body is larger")]
    [InlineData("/v2/nothing", 404, "There is nothing at")]
    public async Task A_client_that_sends_too_much_before_it_listens_is_told_so(string path, int status, string words)
    {
        byte[] block = new byte[1 << 20];
        const int blocks = 64;
        using TcpClient connection = await ConnectAsync();
        NetworkStream stream = connection.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {blocks * block.Length}\r\n\r\n"));
        for (int i = 0; i < blocks; i++)
            await stream.WriteAsync(block);
        (string headers, _) = await ReadAnswerAsync(stream);
        Assert.StartsWith($"HTTP/1.1 {status} ", headers);
        // A chunk: its size, then the document.
        using var body = new StreamReader(stream);
        await body.ReadLineAsync().WaitAsync(Patience);
        Assert.Contains(words, await body.ReadLineAsync().WaitAsync(Patience));
    }

    [Theory]
    [InlineData("\0/v2/models/street/infer")]
    [InlineData("/v2/models/%00/infer")]
    [InlineData("/v2/models/%ff%fe/infer")]
    [InlineData("/v2/models/../../etc/passwd")]
    [InlineData("/v2/models/;/infer")]
    [InlineData("v2/models/street/infer")]
    public async Task A_strange_address_is_refused(string target)
    {
        using TcpClient connection = await ConnectAsync();
        NetworkStream stream = connection.GetStream();
        await stream.WriteAsync(
            Encoding.Latin1.GetBytes($"POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}"));
        (string headers, _) = await ReadAnswerAsync(stream);
        Assert.Matches("^HTTP/1.1 40[045] ", headers);
        (await server.Http.AskAsync("v2/health/ready")).Succeeds();
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port);
        client.NoDelay = true;
        return client;
    }

    private byte[] RecordedRequest() =>
    [
        .. Encoding.ASCII.GetBytes(
            "POST /v2/models/street/infer HTTP/1.1\r\nuser-agent: python/gevent-http-client-2.0.8\r\n"
            + $"inference-header-content-length: {Recorded.Length}\r\nhost: " +
                $"{server.Address.Authority}\r\ncontent-length: {Recorded.Length + 6}\r\n\r\n{Recorded}"),
        1, 2, 3, 4, 5, 6,
    ];

    private static string HeaderOf(string headers, string name) => headers.Split("\r\n")
        .Single(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))[(name.Length + 1)..].Trim();

    private static async Task<(string Headers, byte[] Body)> ReadAnswerAsync(NetworkStream stream)
    {
        using var patience = new CancellationTokenSource(Patience);
        var headers = new StringBuilder();
        byte[] one = new byte[1];
        while (!headers.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, patience.Token);
            headers.Append((char)one[0]);
        }
        string text = headers.ToString();
        if (text.Contains("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            return (text, []);
        byte[] body = new byte[int.Parse(HeaderOf(text, "Content-Length"))];
        await stream.ReadExactlyAsync(body, patience.Token);
        return (text, body);
    }
}
