using System.Net.Sockets;
using System.Text;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>A case of Triton's own tests, qa/L0_http: bodies of very many chunks.</summary>
[Collection(nameof(Alone))]
public sealed class ChunkedBodyTests(GeneratedModel model) : OwnServer(model)
{
    [Theory]
    [InlineData(100_000, "HTTP/1.1 400")]
    [InlineData(ProtocolServer.MaxBodyBytes + 1, "HTTP/1.1 413")]
    public async Task A_chunk_for_every_byte_costs_no_more_than_the_body(int chunks, string status)
    {
        byte[] body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1\r\nx\r\n", chunks)) + "0\r\n\r\n");
        using TcpClient client = await ConnectAsync();
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(
            "POST /v2/models/street/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        long before = GC.GetTotalAllocatedBytes();
        Task sent = stream.WriteAsync(body).AsTask();
        byte[] answer = new byte[12];
        await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(Patience);
        Assert.Equal(status, Encoding.ASCII.GetString(answer));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 16 << 20);
        Assert.Equal(0, Bodies.Held);
        client.Close();
        await Record.ExceptionAsync(() => sent);
        await AssertServes();
    }
}
