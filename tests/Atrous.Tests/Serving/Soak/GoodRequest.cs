using System.IO.Compression;
using System.Net;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Serving.OpenInference;

namespace Atrous.Tests.Serving.Soak;

/// <summary>A request that must succeed, and how to tell that its answer is right.</summary>
internal sealed record GoodRequest(string Name, Func<HttpRequestMessage> Make, Func<Answer, bool> IsRight)
{
    /// <summary>Every way to ask for a photo's classes, checked against the library's own answer.</summary>
    public static IEnumerable<GoodRequest> For(byte[] photo, Segmenter library)
    {
        using Image image = Image.Load(photo);
        Segmentation truth = library.Segment(image);
        double[] labels = [.. truth.Labels.ToArray().Select(label => (double)label)];
        byte[] pixels = image.Pixels.ToArray();
        (int width, int height) = (image.Width, image.Height);
        byte[] mask = Written(stream => truth.SaveMask(stream));
        using Image overlay = truth.Overlay(image);
        byte[] png = Written(stream => overlay.SavePng(stream)), jpeg = Written(stream => overlay.SaveJpeg(stream));
        byte[] zipped = Written(stream =>
        {
            using var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(photo);
        });
        string[] runs = [.. truth.RunLengths().Select(run => run.Compress()).Order(StringComparer.Ordinal)];

        yield return new("v1 png", () => Segment("", photo), Is(mask));
        yield return new("v1 overlay", () => Segment("&format=overlay", photo), Is(png));
        yield return new("v1 overlay jpeg", () => Segment("&format=overlay&encoding=jpeg", photo), Is(jpeg));
        yield return new("v1 json", () => Segment("&format=json", photo), answer => Classes(answer)
            .Select(entry => new ClassShare(
                entry.GetProperty("index").GetInt32(), entry.GetProperty("pixels").GetInt64(),
                entry.GetProperty("share").GetDouble()))
            .SequenceEqual(truth.Shares));
        yield return new("v1 rle", () => Segment("&format=rle", photo), answer => Classes(answer)
            .Select(entry => entry.GetProperty("segmentation").GetProperty("counts").GetString()!)
            .Order(StringComparer.Ordinal).SequenceEqual(runs));
        yield return new("v1 multipart", () => Multipart(photo), Is(mask));
        yield return new("v1 gzip", () => Compressed(Segment("", zipped)), Is(mask));
        yield return new("v2 raw", () => Raw(photo), HasLabels);
        yield return new("v2 json", () => Protocol.Post(Protocol.Infer, Protocol.Input(
            "UINT8", [1, height, width, 3], $"\"data\":[{string.Join(",", pixels)}]")), HasLabels);
        yield return new("v2 binary", () => Protocol.Binary(Protocol.Input(
            "UINT8", [1, height, width, 3], $$"""
            "parameters":{"binary_data_size":{{pixels.Length}}}
            """), pixels), HasLabels);
        byte[] two = Protocol.Bytes(photo, photo);
        yield return new("v2 two files", () => Protocol.Binary(Protocol.Input(
            "BYTES", [2], $$"""
            "parameters":{"binary_data_size":{{two.Length}}}
            """), two), answer => answer.Values("labels").SequenceEqual([.. labels, .. labels]));

        bool HasLabels(Answer answer) => answer.Values("labels").SequenceEqual(labels);
    }

    /// <summary>
    /// What pages, probes and scrapers ask for. Readiness is not among it: while a model comes back it is rightly
    /// refused.
    /// </summary>
    public static IEnumerable<GoodRequest> Looks() =>
        new[] { "", "v1/models", "v2", "v2/models/street", "v2/models/street/ready", "v2/models/street/stats",
        "v2/health/live", "livez", "metrics" }
            .Select(
                path => new GoodRequest($"GET /{path}", () => new HttpRequestMessage(HttpMethod.Get, path), answer =>
                answer.Body.Length > 0));

    /// <summary>Sends it; null, or what is wrong with the answer.</summary>
    public async Task<string?> TryAsync(HttpClient client)
    {
        try
        {
            Answer answer = await client.AskAsync(Make());
            return answer.Status != HttpStatusCode.OK
                ? $"{Name}: {(int)answer.Status} {System.Text.Encoding.UTF8.GetString(answer.Body)}"
                : IsRight(answer) ? null : $"{Name}: a wrong answer of {answer.Body.Length} bytes";
        }
        catch (Exception e)
            when (e is HttpRequestException or TaskCanceledException or JsonException or KeyNotFoundException)
        {
            return $"{Name}: {e.GetType().Name}: {e.Message} {e.InnerException?.Message}";
        }
    }

    private static Func<Answer, bool> Is(byte[] expected) => answer => answer.Body.AsSpan().SequenceEqual(expected);

    private static IEnumerable<JsonElement> Classes(Answer answer) =>
        answer.Json.GetProperty("classes").EnumerateArray();

    private static HttpRequestMessage Segment(string query, byte[] body) =>
        Protocol.Post("v1/segment?model=street" + query, body);

    private static HttpRequestMessage Raw(byte[] photo)
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, photo);
        request.Headers.Add(Protocol.HeaderLength, "0");
        return request;
    }

    private static HttpRequestMessage Multipart(byte[] photo)
    {
        var form = new MultipartFormDataContent
        {
            { new StringContent("a note"), "note" }, { new ByteArrayContent(photo), "image", "photo" },
        };
        return new HttpRequestMessage(HttpMethod.Post, "v1/segment?model=street") { Content = form };
    }

    private static HttpRequestMessage Compressed(HttpRequestMessage request)
    {
        request.Content!.Headers.ContentEncoding.Add("gzip");
        return request;
    }

    private static byte[] Written(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }
}
