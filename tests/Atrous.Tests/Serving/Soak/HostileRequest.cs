using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using Atrous.Tests.Cli;
using Atrous.Tests.Imaging;
using Atrous.Tests.Serving.OpenInference;

namespace Atrous.Tests.Serving.Soak;

/// <summary>A request that no good client sends, and the statuses that may answer it.</summary>
internal sealed record HostileRequest(string Name, Func<Random, HttpRequestMessage> Make, params int[] Statuses)
{
    private const string V1 = "v1/segment?model=street";

    private static readonly byte[] Photo = Workplace.Photo();

    private static readonly string[] Verbs =
        ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW"];

    private static readonly string[] Paths =
    [
        "", "v1", "v1/segment", "v1/segment?model=nobody", "v1/segment?format=gif", "v1/segment?priority=-1&x=%00",
            "v1/models?palette=x",
        "v2/models/street/infer", "v2/models/street/versions/9/infer", "v2/models/%ff%fe/infer", "v2/models/%00/infer",
            "v2/models/%20/infer",
        "v2/models/nobody", "v2/repository/index", "v2/repository/models/nobody/load",
            "v2/repository/models/nobody/unload", "v2/logging",
        "..%2f..%2fetc%2fpasswd", "%2e%2e/", "livez", "readyz", "metrics?x=" + "y", "v2/"
            + "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
    ];

    private static readonly Lazy<byte[]> Bomb = new(() =>
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (int i = 0; i < 64; i++)
                gzip.Write(new byte[1 << 20]);
        }
        return stream.ToArray();
    });

    /// <summary>Each kind.</summary>
    public static IReadOnlyList<HostileRequest> All { get; } =
    [
        new("any verb anywhere", AnyVerb, 200, 204, 400, 404, 405, 411, 413, 415, 501, 503),
        new("noise", random => Protocol.Post(V1, Noise(random, 5000)), 400, 415),
        new("wrong type", _ => Typed(V1, "{}"u8.ToArray(), "application/json"), 415),
        new("broken multipart", random => Typed(V1, Noise(random, 2000), "multipart/form-data; boundary=x"), 400),
        // Before the last pixels: a picture that only lacks its end mark is read.
        new("photo cut off", random => Protocol.Post(V1, Photo[..random.Next(Photo.Length - 40)]), 400, 415),
        new("photo damaged", random => Protocol.Post(V1, Damaged(random)), 200, 400, 413, 415),
        new("photo damaged, raw", random =>
            With(Protocol.Post(Protocol.Infer, Damaged(random)), Protocol.HeaderLength, "0"), 200, 400, 413),
        new("giant picture", _ => Protocol.Post(V1, HugePng.Bytes(60_000, 60_000)), 413),
        new("largest picture", _ => Protocol.Post(V1, HugePng.Bytes(int.MaxValue, int.MaxValue)), 413),
        new("gzip bomb", _ => Encoded(Protocol.Post(V1, Bomb.Value), "gzip"), 413),
        new("gzip bomb of JSON", _ => Encoded(Protocol.Post(Protocol.Infer, Bomb.Value), "gzip"), 400, 413),
        new("no gzip", random => Encoded(Protocol.Post(V1, Noise(random, 2000)), "gzip"), 400),
        new("large body", _ => Protocol.Post(V1, new byte[9 << 20]), 413),
        new("negative shape", _ => Infer("[-1,4,4,3]", "[1]"), 400),
        new("overflowing shape", _ => Infer("[4294967296,4294967296,4294967296,3]", "[1]"), 400),
        new("giant shape", _ => Infer("[1,40000,40000,3]", "[1]"), 400, 413),
        new("many numbers", _ => Infer("[1,300,300,3]", $"[{string.Join(",", Enumerable.Repeat("1", 300_000))}]"), 400),
        new("deep JSON", random => Infer("[1,1,1,3]", new string('[', random.Next(70, 200_000))), 400),
        new("deep index", _ => Protocol.Post("v2/repository/index", new string('[', 100_000)), 400),
        new("header length", random =>
            With(Protocol.Post(Protocol.Infer, "{}"), Protocol.HeaderLength, random.Next(2) == 0
                ? "99999999999"
                : "-1"), 400),
        new("no time", _ => Protocol.Post("v1/segment?model=street&timeout=0.001", Photo), 200, 504),
        new("many chunks", random => Chunked(Noise(random, 3000)), 400, 415),
        new("large headers", _ =>
            With(new HttpRequestMessage(HttpMethod.Get, "livez"), "X-Large", new string('x', 40_000)), 431),
    ];

    /// <summary>What an administrator does meanwhile, in this order.</summary>
    public static IReadOnlyList<HostileRequest> Administration { get; } =
    [
        new("reload under load", _ => Protocol.Post("v2/repository/models/street/load", "{}"), 200),
        new("unload of another", _ => Protocol.Post("v2/repository/models/spare/unload", "{}"), 200),
        new("photo for what is unloaded", _ => Protocol.Post("v1/segment?model=spare", Photo), 503),
        new("load of another", _ => Protocol.Post("v2/repository/models/spare/load", "{}"), 200),
        new("photo for what is loaded", _ => Protocol.Post("v1/segment?model=spare", Photo), 200),
    ];

    /// <summary>Sends it; null, or what is wrong with the answer.</summary>
    public async Task<string?> TryAsync(HttpClient client, Random random)
    {
        try
        {
            Answer answer = await client.AskAsync(Make(random));
            return Statuses.Contains((int)answer.Status)
                ? null
                : $"{Name}: {(int)answer.Status} {Encoding.UTF8.GetString(answer.Body)}";
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            // The server may hang up on who sends what it will not read.
            return null;
        }
    }

    private static HttpRequestMessage AnyVerb(Random random)
    {
        string verb = Verbs[random.Next(Verbs.Length)];
        var request = new HttpRequestMessage(new HttpMethod(verb), Paths[random.Next(Paths.Length)]);
        if (verb is not ("GET" or "HEAD" or "TRACE"))
            request.Content = new ByteArrayContent(Noise(random, 300));
        return request;
    }

    private static byte[] Noise(Random random, int most)
    {
        byte[] bytes = new byte[random.Next(1, most)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Damaged(Random random)
    {
        byte[] photo = [.. Photo];
        for (int i = random.Next(1, 20); i > 0; i--)
            photo[random.Next(8, photo.Length)] ^= (byte)random.Next(1, 256);
        return photo;
    }

    private static HttpRequestMessage Infer(string shape, string data) => Protocol.Post(
        Protocol.Infer, $$"""{"inputs":[{"name":"image","datatype":"UINT8","shape":{{shape}},"data":{{data}}}]}""");

    private static HttpRequestMessage Typed(string path, byte[] body, string type)
    {
        HttpRequestMessage request = Protocol.Post(path, body);
        request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return request;
    }

    private static HttpRequestMessage With(HttpRequestMessage request, string name, string value)
    {
        request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static HttpRequestMessage Encoded(HttpRequestMessage request, string encoding)
    {
        request.Content!.Headers.ContentEncoding.Add(encoding);
        return request;
    }

    /// <summary>A chunk for every byte.</summary>
    private static HttpRequestMessage Chunked(byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, V1) { Content = new ByteByByte(body) };
        request.Headers.TransferEncodingChunked = true;
        return request;
    }

    private sealed class ByteByByte(byte[] body) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            foreach (byte value in body)
                await stream.WriteAsync((byte[])[value]);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
