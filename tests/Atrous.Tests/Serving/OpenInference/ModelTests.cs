using System.Text.Json;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>What the protocol tells of the server and its models, and what it says to wrong addresses.</summary>
public sealed class ModelTests(ProtocolServer server) : IClassFixture<ProtocolServer>
{
    private readonly HttpClient _http = server.Http;

    [Theory]
    [InlineData("v2/health/live", """{"live":true}""")]
    [InlineData("v2/health/ready", """{"ready":true}""")]
    [InlineData("v2/models", """{"models":["street"]}""")]
    [InlineData("v2/models/street/ready", """{"name":"street","ready":true}""")]
    [InlineData("v2/models/street/versions/1/ready", """{"name":"street","ready":true}""")]
    public async Task State_is_told(string path, string expected) =>
        Assert.Equal(expected, (await _http.AskAsync(path)).Succeeds().Json.GetRawText());

    [Theory]
    [InlineData("v2")]
    [InlineData("v2/")]
    public async Task The_server_describes_itself(string path)
    {
        JsonElement metadata = (await _http.AskAsync(path)).Succeeds().Json;
        Assert.Equal("atrous", metadata.GetProperty("name").GetString());
        Assert.NotEqual("", metadata.GetProperty("version").GetString());
        string?[] extensions =
            [.. metadata.GetProperty("extensions").EnumerateArray().Select(name => name.GetString())];
        Assert.Contains("binary_tensor_data", extensions);
        Assert.Contains("model_configuration", extensions);
        Assert.DoesNotContain("model_repository", extensions);
    }

    [Theory]
    [InlineData("v2/models/street")]
    [InlineData("v2/models/street/versions/1")]
    public async Task A_model_describes_its_tensors(string path)
    {
        JsonElement metadata = (await _http.AskAsync(path)).Succeeds().Json;
        Assert.Equal("street", metadata.GetProperty("name").GetString());
        Assert.Equal("""["1"]""", metadata.GetProperty("versions").GetRawText());
        // Raw requests need exactly one input, and that of BYTES.
        Assert.Equal(
            """[{"name":"image","datatype":"BYTES","shape":[-1]}]""", metadata.GetProperty("inputs").GetRawText());
        Assert.Equal(
            """[{"name":"labels","datatype":"UINT8","shape":[-1,-1,-1]},{"name":"confidence","datatype":"FP32","shape":[-1,-1,-1]}]""",
            metadata.GetProperty("outputs").GetRawText());
        Assert.Equal(5, metadata.GetProperty("parameters").GetProperty("classes").GetInt32());
    }

    [Theory]
    [InlineData("v2/models/street/config")]
    [InlineData("v2/models/street/versions/1/config")]
    public async Task A_model_describes_itself_as_Triton_does(string path) => Assert.Equal(
        """
        {"name":"street","platform":"atrous_checkpoint","max_batch_size":0,"input":[{"name":"image","data_type":"TYPE_STRING","format":"FORMAT_NONE","dims":[-1]}],"output":[{"name":"labels","data_type":"TYPE_UINT8","dims":[-1,-1,-1]},{"name":"confidence","data_type":"TYPE_FP32","dims":[-1,-1,-1]}]}
        """,
        (await _http.AskAsync(path)).Succeeds().Json.GetRawText());

    [Theory]
    [InlineData("nobody")]
    [InlineData("%20")]
    [InlineData("%00")]
    [InlineData("..%2F..%2Fetc%2Fpasswd")]
    [InlineData("street%20")]
    [InlineData("STREET")]
    [InlineData("%F0%9F%98%80")]
    public async Task There_is_no_such_model(string name)
    {
        foreach (
            string path in (string[])[$"v2/models/{name}", $"v2/models/{name}/ready", $"v2/models/{name}/stats",
            $"v2/models/{name}/config", $"v2/models/{name}/versions/1"])
            AssertRefused(await _http.AskAsync(path));
        AssertRefused(await _http.AskAsync(Protocol.Post($"v2/models/{name}/infer", "{}")));

        // Kestrel itself refuses addresses with a zero byte, before any endpoint could.
        void AssertRefused(Answer answer)
        {
            if (name == "%00")
                Assert.InRange((int)answer.Status, 400, 404);
            else
                answer.Refuses(404, "street");
        }
    }

    [Theory]
    [InlineData("v2/models/street/versions/2")]
    [InlineData("v2/models/street/versions/01/ready")]
    [InlineData("v2/models/street/versions/x/stats")]
    [InlineData("v2/models/street/versions/7/config")]
    public async Task There_is_no_such_version(string path) =>
        (await _http.AskAsync(path)).Refuses(404, "its version is 1");

    [Theory]
    [InlineData("v2/models//infer")]
    [InlineData("v2/models/street/versions//infer")]
    [InlineData("v2/nothing")]
    [InlineData("v2/systemsharedmemory/status")]
    [InlineData("v2/models/street/infer/more")]
    public async Task There_is_no_such_address(string path) => (await _http.AskAsync(path)).Refuses(404, path);

    [Theory]
    [InlineData("GET", "v2/models/street/infer")]
    [InlineData("PUT", "v2/models/street/infer")]
    [InlineData("POST", "v2/models/street")]
    [InlineData("POST", "v2/health/live")]
    [InlineData("DELETE", "v2/models/street/ready")]
    [InlineData("GET", "v2/repository/index")]
    [InlineData("PATCH", "v2")]
    public async Task The_verb_is_wrong(string verb, string path)
    {
        Answer answer = await _http.AskAsync(new HttpRequestMessage(new HttpMethod(verb), path));
        answer.Refuses(405, verb);
        Assert.Contains("Allow", answer.Headers);
    }

    [Theory]
    [InlineData("v2/repository/index")]
    [InlineData("v2/repository/models/street/load")]
    [InlineData("v2/repository/models/street/unload")]
    public async Task The_repository_is_closed_unless_it_was_opened(string path)
    {
        (await _http.AskAsync(Protocol.Post(path, "{}"))).Refuses(403, "switched off");
        (await _http.AskAsync("v2/models/street/ready")).Succeeds();
    }

    [Fact]
    public async Task Statistics_count_what_was_done()
    {
        (long successes, long pictures) = await CountAsync("v2/models/street/stats");
        byte[] photo = Workplace.Photo();
        byte[] tensor = Protocol.Bytes(photo, photo);
        (await _http.AskAsync(Protocol.Binary(Protocol.Input("BYTES", [2], $$"""
            "parameters":{"binary_data_size":{{tensor.Length}}}
            """), tensor))).Succeeds();
        foreach (
            string path in (string[])["v2/models/stats", "v2/models/street/stats", "v2/models/street/versions/1/stats"])
        {
            (long laterSuccesses, long laterPictures) = await CountAsync(path);
            Assert.True(laterSuccesses > successes, path);
            Assert.Equal(pictures + 2, laterPictures);
        }
    }

    [Fact]
    public async Task Statistics_have_every_member_that_clients_read()
    {
        byte[] photo = Workplace.Photo();
        HttpRequestMessage request = Protocol.Post(Protocol.Infer, photo);
        request.Headers.Add(Protocol.HeaderLength, "0");
        (await _http.AskAsync(request)).Succeeds();
        JsonElement model = (await _http.AskAsync("v2/models/stats")).Succeeds().Json.GetProperty("model_stats")[0];
        Assert.Equal("street", model.GetProperty("name").GetString());
        Assert.Equal("1", model.GetProperty("version").GetString());
        DateTimeOffset last = DateTimeOffset.FromUnixTimeMilliseconds(model.GetProperty("last_inference").GetInt64());
        Assert.InRange(last, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddSeconds(1));
        JsonElement stages = model.GetProperty("inference_stats");
        foreach (string stage in (string[])["success", "queue", "compute_input", "compute_infer", "compute_output"])
        {
            Assert.True(stages.GetProperty(stage).GetProperty("count").GetInt64() > 0, stage);
            Assert.True(stages.GetProperty(stage).GetProperty("ns").GetInt64() >= 0, stage);
        }
        Assert.True(stages.GetProperty("compute_infer").GetProperty("ns").GetInt64() > 0);
        foreach (string none in (string[])["cache_hit", "cache_miss"])
            Assert.Equal(0, stages.GetProperty(none).GetProperty("count").GetInt64());
        Assert.True(stages.TryGetProperty("fail", out _));
        JsonElement batches = model.GetProperty("batch_stats");
        Assert.True(batches.GetArrayLength() > 0);
        Assert.True(batches[0].GetProperty("batch_size").GetInt32() > 0);
        Assert.True(batches[0].GetProperty("compute_infer").GetProperty("ns").GetInt64() > 0);
        Assert.InRange(
            model.GetProperty("execution_count").GetInt64(), 1, model.GetProperty("inference_count").GetInt64());
    }

    private async Task<(long Successes, long Pictures)> CountAsync(string path)
    {
        JsonElement model = (await _http.AskAsync(path)).Succeeds().Json.GetProperty("model_stats")[0];
        return (model.GetProperty("inference_stats").GetProperty("success").GetProperty("count").GetInt64(),
            model.GetProperty("inference_count").GetInt64());
    }
}
