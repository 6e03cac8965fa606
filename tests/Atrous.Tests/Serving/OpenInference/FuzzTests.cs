using System.Text;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Server.OpenInference;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>
/// Random damage, the same in every run: whatever comes is answered or refused, never a failure of the server's own.
/// </summary>
public sealed class FuzzTests(ProtocolServer server) : IClassFixture<ProtocolServer>
{
    private static readonly byte[] Photo = Workplace.Photo();

    [Fact]
    public async Task Every_verb_at_every_address()
    {
        string[] verbs = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"];
        string[] paths =
        [
            "v2", "v2/health/live", "v2/health/ready", "v2/models", "v2/models/stats", "v2/models/street",
                "v2/models/street/ready",
            "v2/models/street/stats", "v2/models/street/infer", "v2/models/street/versions/1/infer",
                "v2/models/street/versions/9/infer",
            "v2/models/nobody/infer", "v2/repository/index", "v2/repository/models/street/load",
                "v2/repository/models/street/unload",
            "v2/models/street/config", "v2/trace/setting", "v2/logging",
        ];
        var random = new Random(11);
        foreach (string verb in verbs)
        {
            foreach (string path in paths)
            {
                byte[] body = new byte[random.Next(200)];
                random.NextBytes(body);
                var request = new HttpRequestMessage(new HttpMethod(verb), path);
                if (verb is not ("GET" or "HEAD"))
                    request.Content = new ByteArrayContent(body);
                if (random.Next(2) == 0)
                    request.Headers.Add(Protocol.HeaderLength, random.Next(300).ToString());
                Answer answer = await server.Http.AskAsync(request);
                Assert.True((int)answer.Status is 200 or (>= 400 and < 500), $"{verb} {path}: {(int)answer.Status}");
                if ((int)answer.Status >= 400 && verb != "HEAD")
                    Assert.True(answer.Json.TryGetProperty("error", out _), $"{verb} {path}");
            }
        }
        (await server.Http.AskAsync("v2/health/ready")).Succeeds();
    }

    [Fact]
    public void Damaged_requests_are_read_or_refused()
    {
        byte[] tensor = Protocol.Bytes(Photo);
        byte[][] headers =
        [
            Json($$$"""{"id":"42","inputs":[{"name":"image","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":{{{tensor.Length}}}}}],"parameters":{"priority":1,"timeout":5,"binary_data_output":true}}"""),
            Json($$$"""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["{{{Convert.ToBase64String(Photo)}}}"]}],"outputs":[{"name":"labels","parameters":{"binary_data":true}}]}"""),
            Json("""{"inputs":[{"name":"image","datatype":"FP32","shape":[1,2,2,3],"data":[[[[0,1,2],[3,4,5]],[[6,7,8],[9,10,255]]]]}]}"""),
        ];
        var random = new Random(12);
        int refused = 0;
        const int rounds = 6000;
        for (int i = 0; i < rounds; i++)
        {
            byte[] header = headers[i % headers.Length];
            // The first has a binary part and a header that counts the JSON, which may be wrong too.
            byte[] body = Damage([.. header, .. i % headers.Length == 0 ? tensor : []], random);
            long? length = i % headers.Length == 0 ? header.Length + random.Next(-1, 2) : null;
            try
            {
                InferRequest request = InferRequestReader.Read(body, length, maxDepth: 64);
                foreach (InputTensor input in request.Inputs)
                    Use(input);
            }
            catch (ProtocolException e)
            {
                Assert.InRange(e.StatusCode, 400, 499);
                refused++;
            }
        }
        // Damage to a name of no meaning, or to the photo's own bytes, goes unseen here.
        Assert.InRange(refused, rounds / 3, rounds - 1);
    }

    private static void Use(InputTensor input)
    {
        if (input.Type == TensorType.Bytes)
        {
            using PictureFiles files = PictureFiles.Read(input, ProtocolServer.QueueLimit);
            Assert.NotEmpty(files.Files);
            return;
        }
        PixelTensor.Check(input, ProtocolServer.QueueLimit, ProtocolServer.MaxPixels);
        foreach (Image picture in PixelTensor.Read(input))
            picture.Dispose();
    }

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>A few bytes changed, or a piece left out, doubled or cut off.</summary>
    private static byte[] Damage(byte[] body, Random random)
    {
        int at = random.Next(body.Length), length = random.Next(Math.Min(20, body.Length - at));
        switch (random.Next(4))
        {
            case 0:
                return body[..at];
            case 1:
                return [.. body[..at], .. body[(at + length)..]];
            case 2:
                return [.. body[..(at + length)], .. body[at..]];
            default:
                byte[] changed = [.. body];
                const string likely = "{}[]\",:-0123456789eE.\\u\0\xff";
                for (int i = random.Next(1, 4); i > 0; i--)
                    changed[random.Next(changed.Length)] = (byte)likely[random.Next(likely.Length)];
                return changed;
        }
    }
}
