using System.IO.Compression;
using System.Text;
using Atrous.Imaging;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>
/// What a server of the protocol must refuse with a sentence and survive: the cases of Triton's own tests (qa/L0_http,
/// L0_input_validation, L0_data_compression), and what else a client can get wrong.
/// </summary>
public sealed class RefusalTests(ProtocolServer server) : IClassFixture<ProtocolServer>, IAsyncLifetime
{
    private static readonly byte[] Photo = Workplace.Photo();

    private readonly HttpClient _http = server.Http;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>After every case the server still answers as before.</summary>
    public async ValueTask DisposeAsync()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Photo);
        request.Headers.Add(Protocol.HeaderLength, "0");
        (await _http.AskAsync(request)).Succeeds();
        (await _http.AskAsync("v2/health/ready")).Succeeds();
    }

    [Theory]
    [InlineData("", "no body")]
    [InlineData("{", "cannot be read")]
    [InlineData("null", "The request must be an object")]
    [InlineData("[]", "The request must be an object")]
    [InlineData("{} {}", "cannot be read")]
    [InlineData("{}", "no inputs")]
    [InlineData("""{"inputs":[]}""", "no inputs")]
    [InlineData("""{"inputs":{}}""", "inputs must be an array")]
    [InlineData("""{"inputs":[1]}""", "array of objects")]
    [InlineData("""{"inputs":[],"inputs":[]}""", "'inputs' twice")]
    [InlineData("""{"id":7,"inputs":[]}""", "id must be a string")]
    [InlineData("""{"id":"\ud800","inputs":[]}""", "no valid UTF-8")]
    [InlineData("""{"\ud800":7,"inputs":[]}""", "A member's name is no valid UTF-8")]
    [InlineData("""{"inputs":[{"\udc00x":7}]}""", "A member's name is no valid UTF-8")]
    [InlineData("""{"parameters":[]}""", "parameters must be an object")]
    [InlineData("""{"parameters":{"priority":"high"}}""", "priority must be a whole number")]
    [InlineData("""{"parameters":{"timeout":-5}}""", "must not be negative")]
    [InlineData("""{"parameters":{"timeout":1.5}}""", "without fraction")]
    [InlineData("""{"parameters":{"binary_data_output":1}}""", "true or false")]
    [InlineData("""{"parameters":{"sequence_id":1}}""", "Sequences")]
    [InlineData("""{"inputs":[{"name":"image","shape":[1],"data":["x"]}]}""", "lacks")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"uint8","shape":[1],"data":[1]}]}""", "no datatype 'uint8'")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[-1,2,2,3],"data":[1]}]}""", "-1", "negative")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":["a"],"data":[1]}]}""", "whole number")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1e2],"data":[1]}]}""", "whole number")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[9223372036854775808],"data":[1]}]}""", "below 2^63")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data":[1]}]}""", "more than 16 dimensions")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3]}]}""", "either 'data' or", "has none")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":5}]}""", "data must be an array")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":[1,2,3],"data":[1,2,3]}]}""", "'data' twice")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":[1,2,3],"parameters":{"binary_data_size":3}}]}""", "has both")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"parameters":{"binary_data_size":3}}]}""", "Inference-Header-Content-Length")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"parameters":{"shared_memory_region":"r"}}]}""", "Shared memory")]
    [InlineData(
        """{"inputs":[{"name":"photo","datatype":"UINT8","shape":[1,1,1,3],"data":[1,2,3]}]}""", "one input, 'image'", "'photo'")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":[1,2,3]},{"name":"image","datatype":"UINT8","shape":[1],"data":[1]}]}""", "'image' is there twice")]
    [InlineData(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":[1,2,3]},{"name":"more","datatype":"UINT8","shape":[1],"data":[1]}]}""", "'image', 'more'")]
    public Task The_document_is_wrong(string json, params string[] words) => RefuseJson(json, words);

    [Theory]
    [InlineData("UINT8", "[1,1,3]", "[1,2,3]", "UINT8 [1,1,3]", "[N,H,W,3]")]
    [InlineData("UINT8", "[]", "[1]", "UINT8 []")]
    [InlineData("BOOL", "[1,1,1,3]", "[true,true,true]", "BOOL")]
    [InlineData("UINT8", "[1,0,1,3]", "[]", "at least one picture, row and column")]
    [InlineData("UINT8", "[1,1,1,5]", "[1,2,3,4,5]", "C from 1 to 4")]
    [InlineData("UINT8", "[1,1,1,3]", "[1,2]", "fewer elements")]
    [InlineData("UINT8", "[1,1,1,3]", "[100,2]", "fewer elements")]
    [InlineData("UINT8", "[1,1,1,3]", "[1,2,3,4]", "more elements")]
    [InlineData("UINT8", "[1,1,1,3]", "[1,256,3]", "element 1 is no pixel", "255")]
    [InlineData("UINT8", "[1,1,1,3]", "[1,-1,3]", "element 1 is no pixel")]
    [InlineData("FP32", "[1,1,1,3]", "[0.5,1,3]", "element 0 is no pixel", "not normalised")]
    [InlineData("FP32", "[1,1,1,3]", "[1e999,1,3]", "element 0 is no pixel")]
    [InlineData("INT8", "[1,1,1,3]", "[1,2,128]", "element 2 is no pixel", "127")]
    [InlineData("UINT8", "[1,1,1,3]", "[\"1\",2,3]", "numbers")]
    [InlineData("FP16", "[1,1,1,3]", "[1,2,3]", "FP16 has no JSON form")]
    [InlineData("BF16", "[1,1,1,3]", "[1,2,3]", "BF16 has no JSON form")]
    [InlineData("BYTES", "[1,2]", "[\"\",\"\"]", "[N] or [N,1]")]
    [InlineData("BYTES", "[0]", "[]", "at least one element")]
    [InlineData("BYTES", "[2]", "[\"\"]", "2 elements, the data has 1")]
    [InlineData("BYTES", "[1]", "[\"\",\"\"]", "more elements")]
    [InlineData("BYTES", "[1]", "[1]", "strings")]
    [InlineData("BYTES", "[1]", "[\"not base64!\"]", "no base64")]
    [InlineData("BYTES", "[1]", "[\"aGVsbG8=\"]", "JPEG")]
    public Task Shape_and_data_do_not_fit(string datatype, string shape, string data, params string[] words) =>
        RefuseJson(
        $$"""{"inputs":[{"name":"image","datatype":"{{datatype}}","shape":{{shape}},"data":{{data}}}]}""", words);

    [Theory]
    [InlineData("[1,1,1,4294967296]")]
    [InlineData("[1,1,1,9223372036854775807]")]
    public Task No_picture_has_so_many_channels(string shape) => RefuseJson(
        $$"""{"inputs":[{"name":"image","datatype":"UINT8","shape":{{shape}},"data":[1]}]}""", "image");

    [Theory]
    [InlineData("[4294967296,4294967296,4294967296,4294967296]")]
    [InlineData("[9223372036854775807,2,1,3]")]
    [InlineData("[3037000500,3037000500,1,1]")]
    public async Task The_product_of_a_shape_overflows(string shape)
    {
        await RefuseJson(
            $$"""{"inputs":[{"name":"image","datatype":"UINT8","shape":{{shape}},"data":[1]}]}""", "byte size", "overflows");
        await RefuseJson(
            $$"""{"inputs":[{"name":"image","datatype":"BYTES","shape":{{shape}},"data":["x"]}]}""", "image");
    }

    [Fact]
    public async Task A_dimension_of_zero_hides_no_overflow() => await RefuseJson(
        """{"inputs":[{"name":"image","datatype":"UINT8","shape":[0,9223372036854775807,9223372036854775807,3],"data":[]}]}""", "image");

    [Fact]
    public async Task A_shape_claims_more_than_is_sent()
    {
        // Within the pixels that are allowed, so that only the data's length can tell; nothing of that size is
        // allocated.
        await RefuseJson(
            $$"""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,256,256,3],"data":[1,2,3]}]}""", "fewer elements");
        await Refuse(
            413, Protocol.Post(
                Protocol.Infer,
                """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,40000,40000,3],"data":[1]}]}"""), "1600000000 pixels");
        await Refuse(
            413, Protocol.Post(
                Protocol.Infer,
                """{"inputs":[{"name":"image","datatype":"UINT8","shape":[1000,1,1,3],"data":[1]}]}"""), "1000 pictures", "16 are allowed");
        await Refuse(
            413, Protocol.Post(
                Protocol.Infer,
                """{"inputs":[{"name":"image","datatype":"BYTES","shape":[1000000000],"data":["x"]}]}"""), "1000000000 pictures");
    }

    [Theory]
    [InlineData("UINT8", "[1,1,1,3]", 3, 2, "only 2 bytes are left")]
    [InlineData("UINT8", "[1,1,1,3]", 3, 4, "1 bytes follow")]
    [InlineData("UINT8", "[1,1,1,3]", 2, 2, "takes 3 bytes, but 2 were sent")]
    [InlineData("FP32", "[1,1,1,3]", 3, 3, "takes 12 bytes, but 3 were sent")]
    [InlineData("UINT8", "[1,1,1,3]", long.MaxValue, 3, "only 3 bytes are left")]
    [InlineData("BYTES", "[1]", 3, 3, "takes 4 bytes, but 3 are left")]
    [InlineData("BYTES", "[1]", 8, 8, "takes 67305985 bytes, but 4 are left")]
    [InlineData("BYTES", "[1]", 0, 0, "1 elements, the data has 0")]
    public Task Binary_data_does_not_fit(string datatype, string shape, long claimed, int sent, string words) =>
        Refuse(400, Protocol.Binary(
        $$$"""{"inputs":[{"name":"image","datatype":"{{{datatype}}}","shape":{{{shape}}},"parameters":{"binary_data_size":{{{claimed}}}}}]}""",
        [.. Enumerable.Range(1, sent).Select(i => (byte)i)]), words);

    [Fact]
    public async Task Too_many_elements_of_BYTES()
    {
        byte[] two = Protocol.Bytes(Photo, Photo);
        await Refuse(400, Protocol.Binary(Protocol.Input("BYTES", [1], $$"""
            "parameters":{"binary_data_size":{{two.Length}}}
            """), two), "more elements than the 1");
    }

    [Theory]
    [InlineData("99999999999")]
    [InlineData("9223372036854775807")]
    [InlineData("18446744073709551616")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("x")]
    [InlineData("1, 2")]
    public async Task The_header_length_is_out_of_range(string value)
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, "{}");
        request.Headers.TryAddWithoutValidation(Protocol.HeaderLength, value);
        await Refuse(400, request, "Inference-Header-Content-Length");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1 << 16)]
    public async Task A_raw_request_is_no_picture(int bytes)
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, new byte[bytes]);
        request.Headers.Add(Protocol.HeaderLength, "0");
        await Refuse(400, request, "JPEG");
    }

    [Fact]
    public async Task A_raw_request_has_no_body()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, "");
        request.Headers.Add(Protocol.HeaderLength, "0");
        await Refuse(400, request);
    }

    [Fact]
    public async Task Pictures_of_a_request_differ_in_size()
    {
        byte[] tensor = Protocol.Bytes(Photo, Workplace.Photo(20, 20));
        await Refuse(400, Protocol.Binary(Protocol.Input("BYTES", [2], $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """), tensor), "Picture 1 has 20 x 20", "one size");
    }

    [Fact]
    public async Task A_picture_has_too_many_pixels()
    {
        using var large = new Image(1000, 1000, 3);
        using var png = new MemoryStream();
        large.SavePng(png);
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, png.ToArray());
        request.Headers.Add(Protocol.HeaderLength, "0");
        Answer answer = await _http.AskAsync(request);
        Assert.InRange((int)answer.Status, 400, 413);
        byte[] medium = Workplace.Photo(200, 200);
        byte[] tensor = Protocol.Bytes(medium, medium);
        await Refuse(413, Protocol.Binary(Protocol.Input("BYTES", [2], $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """), tensor), "2 pictures of 200 x 200");
    }

    [Theory]
    [InlineData("""[{"name":"mask"}]""", "no output 'mask'")]
    [InlineData("""[{"name":"labels"},{"name":"labels"}]""", "'labels' is asked for twice")]
    [InlineData("""[{}]""", "lacks its name")]
    [InlineData("""["labels"]""", "array of objects")]
    [InlineData("""[{"name":"labels","parameters":{"binary_data":"yes"}}]""", "true or false")]
    [InlineData("""[{"name":"labels","parameters":{"classification":3}}]""", "classification")]
    [InlineData("""[{"name":"labels","parameters":{"shared_memory_region":"r"}}]""", "Shared memory")]
    public Task An_output_is_wrong(string outputs, params string[] words) => RefuseJson(
        $$"""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":[1,2,3]}],"outputs":{{outputs}}}""", words);

    [Theory]
    [InlineData("""{"inputs":[{"parameters":{"x":NEST}}]}""")]
    [InlineData("""{"more":NEST}""")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,1,3],"data":NEST}]}""")]
    [InlineData("""{"parameters":{"x":NEST}}""")]
    public async Task JSON_is_nested_too_deeply(string json)
    {
        foreach (int depth in (int[])[101, 200_000])
            await RefuseJson(json.Replace("NEST", new string('[', depth) + new string(']', depth)), "nested");
    }

    [Fact]
    public async Task Names_are_too_long()
    {
        string name = new('a', 5000);
        await RefuseJson($$"""{"id":"{{name}}","inputs":[]}""", "id has more than 1024 characters");
        await RefuseJson($$"""{"{{name}}":1,"inputs":[{"name":"{{name}}"}]}""", "more than 1024 characters");
        await RefuseJson(
            $$"""{"inputs":[{{string.Join(",", Enumerable.Range(0, 65).Select(i => $$"""{"name":"{{i}}","datatype":"UINT8","shape":[1],"data":[1]}"""))}}]}""", "more than 64 inputs");
    }

    [Fact]
    public async Task A_body_is_too_large()
    {
        await Refuse(413, Announced(Protocol.Post(Protocol.Infer, new byte[ProtocolServer.MaxBodyBytes + 1])));
        // Small numbers that would each become four bytes: what is counted is the text.
        await Refuse(413, Announced(Protocol.Post(Protocol.Infer,
            $$"""{"inputs":[{"name":"image","datatype":"FP32","shape":[1,600,600,3],"data":[{{string.Join(",", Enumerable.Repeat("1", 600 * 600 * 3))}}]}]}""")));

        // The answer comes before the body; a client that still sends it would race with the end of the connection.
        static HttpRequestMessage Announced(HttpRequestMessage request)
        {
            request.Headers.ExpectContinue = true;
            return request;
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_compressed_body_is_too_large_when_it_is_not(string encoding)
    {
        var bomb = new MemoryStream();
        using (Stream stream = encoding == "gzip"
            ? new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true)
            : new ZLibStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
            stream.Write(new byte[8 * ProtocolServer.MaxBodyBytes]);
        Assert.InRange(bomb.Length, 1, ProtocolServer.MaxBodyBytes / 10);
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, bomb.ToArray());
        request.Content!.Headers.ContentEncoding.Add(encoding);
        request.Headers.Add(Protocol.HeaderLength, "0");
        await Refuse(413, request);
    }

    [Fact]
    public async Task A_compressed_body_is_broken()
    {
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, Encoding.UTF8.GetBytes("no gzip at all"));
        request.Content!.Headers.ContentEncoding.Add("gzip");
        await Refuse(400, request);
        request = Protocol.Post(Protocol.Infer, "{}");
        request.Content!.Headers.ContentEncoding.Add("zstd");
        await Refuse(415, request);
    }

    [Fact]
    public async Task A_timeout_passes()
    {
        byte[] many = Protocol.Bytes([.. Enumerable.Repeat(Workplace.Photo(60, 60), ProtocolServer.QueueLimit)]);
        byte[] one = Protocol.Bytes(Photo);
        var answers = new List<Answer>();
        // The queue may have run dry before the hurried request came; then that was in time, and another try is due.
        for (int i = 0; i < 10 && !answers.Any(answer => (int)answer.Status == 504); i++)
        {
            Task<Answer> busy = _http.AskAsync(Protocol.Binary(Files(ProtocolServer.QueueLimit, many, ""), many));
            while (server.Server.Models.Default.Statistics.QueueLength is 0 or ProtocolServer.QueueLimit
                && !busy.IsCompleted)
                await Task.Delay(1);
            answers.Add(
                await _http.AskAsync(Protocol.Binary(Files(1, one, "\"parameters\":{\"timeout\":1000},"), one)));
            (await busy).Succeeds();
        }
        answers[^1].Refuses(504);

        static string Files(int count, byte[] tensor, string parameters) => $$$"""
            { {{{parameters}}}"inputs":[{"name":"image","datatype":"BYTES","shape":[{{{count}}}],"parameters":{"binary_data_size":{{{tensor.Length}}}}}]}
            """;
    }

    [Fact]
    public async Task The_queue_is_full()
    {
        byte[] tensor = Protocol.Bytes([.. Enumerable.Repeat(Photo, ProtocolServer.QueueLimit)]);
        string json = Protocol.Input("BYTES", [ProtocolServer.QueueLimit], $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """);
        // Each fills the queue by itself.
        Answer[] answers =
            await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => _http.AskAsync(Protocol.Binary(json, tensor))));
        Answer[] refused = [.. answers.Where(answer => (int)answer.Status != 200)];
        Assert.InRange(refused.Length, 1, answers.Length - 1);
        Assert.All(refused, answer =>
        {
            answer.Refuses(503, "queue");
            Assert.InRange(int.Parse(answer.Headers["Retry-After"]), 1, 60);
        });
    }

    private Task RefuseJson(string json, params string[] words) =>
        Refuse(400, Protocol.Post(Protocol.Infer, json), words);

    private async Task Refuse(int status, HttpRequestMessage request, params string[] words) =>
        (await _http.AskAsync(request)).Refuses(status, words);
}
