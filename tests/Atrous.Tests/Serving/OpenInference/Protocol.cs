using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>The protocol from the client's side, written from its specification alone.</summary>
internal static class Protocol
{
    public const string HeaderLength = "Inference-Header-Content-Length";
    public const string Infer = "v2/models/street/infer";

    /// <summary>JSON followed by binary tensors.</summary>
    public static HttpRequestMessage Binary(string json, params byte[][] tensors)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        var request = Post(Infer, [.. header, .. tensors.SelectMany(tensor => tensor)]);
        request.Headers.Add(HeaderLength, header.Length.ToString());
        return request;
    }

    public static HttpRequestMessage Post(string path, byte[] body) =>
        new(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };

    public static HttpRequestMessage Post(string path, string body) => Post(path, Encoding.UTF8.GetBytes(body));

    /// <summary>Elements of BYTES, each behind its length.</summary>
    public static byte[] Bytes(params byte[][] elements) =>
        [.. elements.SelectMany(element => (byte[])[.. Prefix(element.Length), .. element])];

    /// <summary>An input of a request, as JSON.</summary>
    public static string Input(string datatype, long[] shape, string rest) =>
        $$"""{"inputs":[{"name":"image","datatype":"{{datatype}}","shape":[{{string.Join(",", shape)}}],{{rest}}}]}""";

    public static async Task<Answer> AskAsync(this HttpClient http, HttpRequestMessage request)
    {
        using HttpResponseMessage response = await http.SendAsync(request);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        return new Answer(response.StatusCode, response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value),
            StringComparer.OrdinalIgnoreCase), body);
    }

    public static Task<Answer> AskAsync(this HttpClient http, string path) =>
        http.AskAsync(new HttpRequestMessage(HttpMethod.Get, path));

    private static byte[] Prefix(int length)
    {
        byte[] prefix = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, (uint)length);
        return prefix;
    }
}

/// <summary>An answer, taken apart as the protocol says.</summary>
internal sealed record Answer(HttpStatusCode Status, Dictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The JSON part.</summary>
    public JsonElement Json
    {
        get
        {
            int length = Headers.TryGetValue(Protocol.HeaderLength, out string? header)
                ? int.Parse(header)
                : Body.Length;
            return JsonDocument.Parse(Body.AsMemory(0, length)).RootElement;
        }
    }

    /// <summary>The values of an output, wherever they stand.</summary>
    public double[] Values(string output)
    {
        int at = Headers.TryGetValue(Protocol.HeaderLength, out string? header) ? int.Parse(header) : 0;
        foreach (JsonElement tensor in Json.GetProperty("outputs").EnumerateArray())
        {
            int size = tensor.TryGetProperty("parameters", out JsonElement parameters)
                ? parameters.GetProperty("binary_data_size").GetInt32() : 0;
            if (tensor.GetProperty("name").GetString() == output)
            {
                return size == 0
                    ? [.. tensor.GetProperty("data").EnumerateArray().Select(value => value.GetDouble())]
                    : Decode(tensor.GetProperty("datatype").GetString()!, Body.AsSpan(at, size));
            }
            at += size;
        }
        throw new KeyNotFoundException(output);
    }

    public string Shape(string output) => Json.GetProperty("outputs").EnumerateArray()
        .Single(tensor => tensor.GetProperty("name").GetString() == output).GetProperty("shape").GetRawText();

    /// <summary>Fails unless all went well; returns itself.</summary>
    public Answer Succeeds()
    {
        Assert.True(Status == HttpStatusCode.OK, $"{(int)Status}: {Encoding.UTF8.GetString(Body)}");
        return this;
    }

    /// <summary>Fails unless this is a refusal in one sentence that has these words.</summary>
    public void Refuses(int status, params string[] words)
    {
        string body = Encoding.UTF8.GetString(Body);
        Assert.True((int)Status == status, $"{(int)Status} instead of {status}: {body}");
        JsonProperty error = Assert.Single(Json.EnumerateObject());
        Assert.Equal("error", error.Name);
        string sentence = error.Value.GetString()!;
        Assert.EndsWith(".", sentence);
        Assert.DoesNotContain("   at ", sentence);
        Assert.All(words, word => Assert.Contains(word, sentence));
    }

    private static double[] Decode(string datatype, ReadOnlySpan<byte> bytes)
    {
        var values = new double[bytes.Length / (datatype == "FP32" ? sizeof(float) : sizeof(byte))];
        for (int i = 0; i < values.Length; i++)
            values[i] = datatype == "FP32" ? MemoryMarshal.Read<float>(bytes[(i * sizeof(float))..]) : bytes[i];
        return values;
    }
}
