using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>POST /v2/models/NAME/infer in every form in which the protocol lets a client ask.</summary>
public sealed class InferTests(ProtocolServer server) : IClassFixture<ProtocolServer>
{
    private const int Height = 33, Width = 37;
    private static readonly byte[] Photo = Workplace.Photo(Height, Width);
    private static readonly byte[] Pixels = PixelsOf(Photo);

    private readonly HttpClient _http = server.Http;

    [Fact]
    public async Task A_photo_alone_is_a_raw_request()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Photo);
        request.Headers.Add(Protocol.HeaderLength, "0");
        // What curl --data-binary says unless told otherwise.
        request.Content!.Headers.Add("Content-Type", "application/x-www-form-urlencoded");
        Answer answer = (await _http.AskAsync(request)).Succeeds();
        await AssertMask(answer);
        Assert.Equal("application/octet-stream", answer.Headers["Content-Type"]);
        Assert.Equal(answer.Body.Length.ToString(), answer.Headers["Content-Length"]);
        int header = int.Parse(answer.Headers[Protocol.HeaderLength]);
        Assert.Equal(header + Height * Width * (1 + sizeof(float)), answer.Body.Length);
        Assert.False(answer.Json.TryGetProperty("id", out _));
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("[1,1]")]
    public async Task A_picture_file_is_an_element_of_BYTES(string shape)
    {
        byte[] tensor = Protocol.Bytes(Photo);
        string json = $$$"""
            {"id":"42","inputs":[{"name":"image","shape":{{{shape}}},"datatype":"BYTES","parameters":{"binary_data_size":{{{tensor.Length}}}}}],
             "parameters":{"binary_data_output":true}}
            """;
        Answer answer = (await _http.AskAsync(Protocol.Binary(json, tensor))).Succeeds();
        await AssertMask(answer);
        Assert.Equal("42", answer.Json.GetProperty("id").GetString());
        Assert.Equal("street", answer.Json.GetProperty("model_name").GetString());
        Assert.Equal("1", answer.Json.GetProperty("model_version").GetString());
    }

    [Theory]
    [InlineData("UINT8")]
    [InlineData("FP32")]
    public async Task Pixels_may_be_planes(string datatype)
    {
        byte[] planes = [.. Enumerable.Range(0, 3).SelectMany(c => Pixels.Where((_, i) => i % 3 == c))];
        byte[] data = datatype == "UINT8"
            ? planes
            : [.. planes.SelectMany(value => BitConverter.GetBytes((float)value))];
        long[] shape = [1, 3, Height, Width];
        string size = $$"""
            "parameters":{"binary_data_size":{{data.Length}}}
            """;
        await AssertMask(
            (await _http.AskAsync(Protocol.Binary(Protocol.Input(datatype, shape, size), data))).Succeeds());
        string list = $"\"data\":[{string.Join(",", planes)}]";
        await AssertMask(
            (await _http.AskAsync(Protocol.Post(Protocol.Infer, Protocol.Input(datatype, shape, list)))).Succeeds());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Shares_are_told_where_they_are_asked_for(bool binary)
    {
        byte[] tensor = Protocol.Bytes(Photo);
        string json = $$$"""
            {"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":{{{tensor.Length}}}}}],
             "outputs":[{"name":"shares","parameters":{"binary_data":{{{(binary ? "true" : "false")}}}}},{"name":"labels"}]}
            """;
        Answer answer = (await _http.AskAsync(Protocol.Binary(json, tensor))).Succeeds();
        Segmentation expected = await server.ExpectAsync(Photo);
        Assert.Equal("[1,5]", answer.Shape("shares"));
        double[] shares = answer.Values("shares");
        Assert.Equal(1, shares.Sum(), 1e-6);
        Assert.All(expected.Shares, share => Assert.Equal(share.Share, shares[share.Label], 1e-6));
        Assert.Equal(expected.Labels.ToArray(), answer.Values("labels").Select(label => (ushort)label));
    }

    [Fact]
    public async Task In_JSON_a_picture_file_is_base64()
    {
        // Escaped, as writers may: \/ and \u002b are base64 too.
        string text = JsonSerializer.Serialize(Convert.ToBase64String(Photo)).Replace("/", "\\/");
        await AssertMask(
            (await _http.AskAsync(Protocol.Post(Protocol.Infer, Protocol.Input("BYTES", [1], $"\"data\":[{text}]"))))
            .Succeeds());
    }

    [Fact]
    public async Task Pixels_may_be_nested_flat_or_binary()
    {
        string flat = $"[{string.Join(",", Pixels)}]";
        string rows = string.Join(",", Pixels.Chunk(Width * 3).Select(row =>
            $"[{string.Join(",", row.Chunk(3).Select(pixel => $"[{string.Join(",", pixel)}]"))}]"));
        long[] shape = [1, Height, Width, 3];
        await AssertMask(
            (await _http.AskAsync(Protocol.Post(Protocol.Infer, Protocol.Input("UINT8", shape, $"\"data\":{flat}"))))
            .Succeeds());
        await AssertMask(
            (await _http.AskAsync(
                Protocol.Post(Protocol.Infer, Protocol.Input("UINT8", shape, $"\"data\":[[{rows}]]")))).Succeeds());
        string size = $$"""
            "parameters":{"binary_data_size":{{Pixels.Length}}}
            """;
        await AssertMask(
            (await _http.AskAsync(Protocol.Binary(Protocol.Input("UINT8", shape, size), Pixels))).Succeeds());
    }

    [Fact]
    public async Task Members_may_stand_in_any_order_and_unknown_ones_are_passed_by()
    {
        string json = $$$"""
            {"outputs":[{"parameters":{"binary_data":false,"x":1},"name":"labels"}],"extra":{"a":[{}]},
             "inputs":[{"data":[{{{string.Join(",", Pixels)}}}],"parameters":{"content_type":"np"},"shape":[1,{{{Height}}},{{{Width}}},3],"more":null,
                        "datatype":"UINT8","name":"image"}],"parameters":{"custom":"yes","priority":1,"timeout":30000000}}
            """;
        Answer answer = (await _http.AskAsync(Protocol.Post(Protocol.Infer, json))).Succeeds();
        await AssertMask(answer, confidence: false);
        Assert.Single(answer.Json.GetProperty("outputs").EnumerateArray());
    }

    [Theory]
    [InlineData("UINT16")]
    [InlineData("UINT32")]
    [InlineData("UINT64")]
    [InlineData("INT16")]
    [InlineData("INT32")]
    [InlineData("INT64")]
    [InlineData("FP16")]
    [InlineData("BF16")]
    [InlineData("FP32")]
    [InlineData("FP64")]
    public async Task Pixels_may_have_any_number_type(string datatype)
    {
        byte[] tensor = [.. Pixels.SelectMany(pixel => Encode(datatype, pixel))];
        string size = $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """;
        await AssertMask(
            (await _http.AskAsync(Protocol.Binary(Protocol.Input(datatype, [1, Height, Width, 3], size), tensor)))
            .Succeeds());
    }

    [Fact]
    public async Task Pictures_of_one_size_are_a_batch()
    {
        byte[] other = Turned(Photo);
        byte[] tensor = Protocol.Bytes(Photo, other);
        string json = Protocol.Input("BYTES", [2], $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """);
        Answer files = (await _http.AskAsync(Protocol.Binary(json, tensor))).Succeeds();
        byte[] pixels = [.. Pixels, .. PixelsOf(other)];
        json = Protocol.Input("UINT8", [2, Height, Width, 3], $$"""
            "parameters":{"binary_data_size":{{pixels.Length}}}
            """);
        Answer tensors = (await _http.AskAsync(Protocol.Binary(json, pixels))).Succeeds();
        Segmentation first = await server.ExpectAsync(Photo), second = await server.ExpectAsync(other);
        double[] expected = [.. first.Labels.ToArray().Concat(second.Labels.ToArray()).Select(label => (double)label)];
        Assert.NotEqual(first.Labels.ToArray(), second.Labels.ToArray());
        Assert.Equal($"[2,{Height},{Width}]", files.Shape("labels"));
        Assert.Equal(expected, files.Values("labels"));
        Assert.Equal(expected, tensors.Values("labels"));
    }

    [Fact]
    public async Task An_output_says_itself_whether_it_is_binary()
    {
        byte[] tensor = Protocol.Bytes(Photo);
        string json = $$$"""
            {"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":{{{tensor.Length}}}}}],
             "parameters":{"binary_data_output":true},
             "outputs":[{"name":"confidence"},{"name":"labels","parameters":{"binary_data":false}}]}
            """;
        Answer answer = (await _http.AskAsync(Protocol.Binary(json, tensor))).Succeeds();
        JsonElement[] outputs = [.. answer.Json.GetProperty("outputs").EnumerateArray()];
        Assert.Equal(["confidence", "labels"], outputs.Select(output => output.GetProperty("name").GetString()));
        Assert.True(outputs[0].TryGetProperty("parameters", out _));
        Assert.False(outputs[0].TryGetProperty("data", out _));
        Assert.True(outputs[1].TryGetProperty("data", out _));
        await AssertMask(answer);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Both_ways_may_be_compressed(string encoding)
    {
        byte[] tensor = Protocol.Bytes(Photo);
        string json = Protocol.Input("BYTES", [1], $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """).Replace("}]}", "}],\"parameters\":{\"binary_data_output\":true}}");
        HttpRequestMessage plain = Protocol.Binary(json, tensor);
        HttpRequestMessage request =
            Protocol.Post(Protocol.Infer, Compress(encoding, await plain.Content!.ReadAsByteArrayAsync()));
        request.Content!.Headers.ContentEncoding.Add(encoding);
        request.Headers.AcceptEncoding.ParseAdd(encoding);
        // Both ways it counts the JSON as it is before compression.
        request.Headers.Add(Protocol.HeaderLength, Encoding.UTF8.GetByteCount(json).ToString());
        Answer answer = (await _http.AskAsync(request)).Succeeds();
        Assert.Equal(encoding, answer.Headers["Content-Encoding"]);
        await AssertMask(answer with { Body = Decompress(encoding, answer.Body) });
    }

    [Fact]
    public async Task A_body_may_come_in_many_chunks()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Photo);
        request.Content = new StreamContent(new Trickle(Photo), bufferSize: 1);
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Add(Protocol.HeaderLength, "0");
        await AssertMask((await _http.AskAsync(request)).Succeeds());
    }

    [Fact]
    public async Task The_version_may_stand_in_the_address()
    {
        HttpRequestMessage request = Protocol.Post("v2/models/street/versions/1/infer", Photo);
        request.Headers.Add(Protocol.HeaderLength, "0");
        await AssertMask((await _http.AskAsync(request)).Succeeds());
    }

    private async Task AssertMask(Answer answer, bool confidence = true)
    {
        Segmentation expected = await server.ExpectAsync(Photo);
        Assert.Equal($"[1,{Height},{Width}]", answer.Shape("labels"));
        Assert.Equal(expected.Labels.ToArray().Select(label => (double)label), answer.Values("labels"));
        if (confidence)
            Assert.Equal(expected.Confidence.ToArray(), answer.Values("confidence").Select(value => (float)value));
    }

    private static byte[] PixelsOf(byte[] photo)
    {
        using Image image = Image.Load(photo);
        return image.Pixels.ToArray();
    }

    private static byte[] Turned(byte[] photo)
    {
        byte[] pixels = PixelsOf(photo);
        Array.Reverse(pixels);
        using Image image = Image.FromPixels(pixels, Height, Width);
        using var png = new MemoryStream();
        image.SavePng(png);
        return png.ToArray();
    }

    private static byte[] Encode(string datatype, byte pixel) => datatype switch
    {
        "UINT16" => BitConverter.GetBytes((ushort)pixel),
        "INT16" => BitConverter.GetBytes((short)pixel),
        "UINT32" => BitConverter.GetBytes((uint)pixel),
        "INT32" => BitConverter.GetBytes((int)pixel),
        "UINT64" => BitConverter.GetBytes((ulong)pixel),
        "INT64" => BitConverter.GetBytes((long)pixel),
        "FP16" => BitConverter.GetBytes((Half)pixel),
        "BF16" => BitConverter.GetBytes((float)pixel)[2..],
        "FP32" => BitConverter.GetBytes((float)pixel),
        _ => BitConverter.GetBytes((double)pixel),
    };

    private static byte[] Compress(string encoding, byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (Stream stream = encoding == "gzip"
            ? new GZipStream(compressed, CompressionLevel.Optimal)
                : new ZLibStream(compressed, CompressionLevel.Optimal))
            stream.Write(bytes);
        return compressed.ToArray();
    }

    private static byte[] Decompress(string encoding, byte[] bytes)
    {
        using Stream stream = encoding == "gzip"
            ? new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress)
            : new ZLibStream(new MemoryStream(bytes), CompressionMode.Decompress);
        var plain = new MemoryStream();
        stream.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>Gives a byte at a time, so that every chunk has one.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
