using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Server.Rpc.Wire;
using Atrous.Shapes;
using Atrous.Tensors;
using Atrous.Tests.Cli;
using Atrous.Tests.Serving.Rpc;
using Google.Protobuf;
using Grpc.Core;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>Probabilities and polygons, which only who asks for them gets, over HTTP and gRPC.</summary>
public sealed class LargeOutputTests(ProtocolServer server, RpcServer rpc)
    : IClassFixture<ProtocolServer>, IClassFixture<RpcServer>
{
    private const int Height = RpcServer.Height, Width = RpcServer.Width, Classes = 5;

    private static readonly byte[] Photo = Workplace.Photo(Height, Width);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Probabilities_are_the_librarys_own(bool binary)
    {
        Answer answer = await AskAsync(1, $"{Asked("probabilities", binary)},{Asked("labels", !binary)}");
        Assert.Equal($"[1,{Height},{Width},{Classes}]", answer.Shape("probabilities"));
        float[] expected = await ExpectAsync();
        Assert.Equal(expected, answer.Values("probabilities").Select(value => (float)value));
        // And they are those that the labels come from.
        double[] labels = answer.Values("labels");
        Assert.Equal(
            labels, expected.Chunk(Classes).Select(pixel => (double)pixel.IndexOf(pixel.Max())));
        await SettleAsync();
    }

    [Fact]
    public async Task Each_picture_has_its_own()
    {
        Answer answer = await AskAsync(2, Asked("probabilities", true));
        Assert.Equal($"[2,{Height},{Width},{Classes}]", answer.Shape("probabilities"));
        float[] one = await ExpectAsync();
        Assert.Equal([.. one, .. one], answer.Values("probabilities").Select(value => (float)value));
        await SettleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Polygons_fill_the_mask_exactly(bool binary)
    {
        Answer answer = await AskAsync(2, $"{Asked("shares", !binary)},{Asked("polygons", binary)}");
        Assert.Equal("[2]", answer.Shape("polygons"));
        string[] texts = TextsOf(answer, binary);
        Assert.Equal(2, texts.Length);
        Segmentation mask = await server.ExpectAsync(Photo);
        Assert.All(texts, text => AssertOutlines(text, mask));
        Assert.Equal(2 * Classes, answer.Values("shares").Length);
    }

    [Fact]
    public async Task Who_does_not_ask_gets_none()
    {
        byte[] tensor = Protocol.Bytes(Photo);
        Answer answer = (await server.Http.AskAsync(Protocol.Binary(
            Protocol.Input("BYTES", [1], $$"""
                "parameters":{"binary_data_size":{{tensor.Length}}}
                """), tensor))).Succeeds();
        Assert.Equal(
            ["labels", "confidence"],
            answer.Json.GetProperty("outputs").EnumerateArray().Select(output => output.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task An_unknown_output_is_refused_with_the_names_of_all()
    {
        byte[] tensor = Protocol.Bytes(Photo);
        Answer answer = await server.Http.AskAsync(Protocol.Binary(Json(1, tensor.Length, Asked("outlines", true)), tensor));
        answer.Refuses(400, "'labels'", "'probabilities'", "'polygons'");
    }

    [Fact]
    public async Task GRPC_gives_them_raw_and_in_lists()
    {
        ModelInferRequest request = RpcServer.PhotoRequest();
        foreach (string name in new[] { "polygons", "probabilities", "labels" })
            request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = name });
        ModelInferResponse raw = await rpc.Client.ModelInferAsync(request);
        Assert.Equal(["BYTES", "FP32", "UINT8"], raw.Outputs.Select(output => output.Datatype));
        Assert.Equal([1], raw.Outputs[0].Shape);
        Assert.Equal([1, Height, Width, Classes], raw.Outputs[1].Shape);
        float[] expected = await ExpectAsync();
        Assert.Equal(expected, MemoryMarshal.Cast<byte, float>(raw.RawOutputContents[1].Span).ToArray());
        Segmentation mask = await rpc.ExpectAsync();
        AssertOutlines(Assert.Single(Texts(raw.RawOutputContents[0].ToByteArray())), mask);

        request.Parameters["binary_data_output"] = new InferParameter { BoolParam = false };
        ModelInferResponse lists = await rpc.Client.ModelInferAsync(request);
        Assert.Equal(expected, lists.Outputs[1].Contents.Fp32Contents);
        ByteString text = Assert.Single(lists.Outputs[0].Contents.BytesContents);
        AssertOutlines(text.ToStringUtf8(), mask);
        await rpc.AssertNothingLeft();
    }

    private async Task<float[]> ExpectAsync()
    {
        using Image image = Image.Load(Photo);
        using Tensor probabilities = await server.Server.Models.Default.ProbabilitiesAsync(image);
        return probabilities.Image<float>(0).ToArray();
    }

    /// <summary>The server keeps the network of one size and output: that of before.</summary>
    private Task<Segmentation> SettleAsync() => server.ExpectAsync(Photo);

    private async Task<Answer> AskAsync(int pictures, string outputs)
    {
        byte[] tensor = Protocol.Bytes([.. Enumerable.Repeat(Photo, pictures)]);
        return (await server.Http.AskAsync(Protocol.Binary(Json(pictures, tensor.Length, outputs), tensor))).Succeeds();
    }

    private static string Json(int pictures, int length, string outputs) => $$$"""
        {"inputs":[{"name":"image","shape":[{{{pictures}}}],"datatype":"BYTES",
                    "parameters":{"binary_data_size":{{{length}}}}}],
         "outputs":[{{{outputs}}}]}
        """;

    private static string Asked(string name, bool binary) => $$$"""
        {"name":"{{{name}}}","parameters":{"binary_data":{{{(binary ? "true" : "false")}}}}}
        """;

    private static string[] TextsOf(Answer answer, bool binary)
    {
        JsonElement output = answer.Json.GetProperty("outputs").EnumerateArray()
            .Single(tensor => tensor.GetProperty("name").GetString() == "polygons");
        return binary
            ? Texts(answer.Body[^output.GetProperty("parameters").GetProperty("binary_data_size").GetInt32()..])
            : [.. output.GetProperty("data").EnumerateArray().Select(text => text.GetString()!)];
    }

    /// <summary>Each behind its length.</summary>
    private static string[] Texts(byte[] bytes)
    {
        var texts = new List<string>();
        for (int at = 0; at < bytes.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            texts.Add(Encoding.UTF8.GetString(bytes, at + sizeof(int), length));
            at += sizeof(int) + length;
        }
        return [.. texts];
    }

    /// <summary>The text has the rings of the mask's regions, corner by corner.</summary>
    private static void AssertOutlines(string text, Segmentation mask)
    {
        JsonElement classes = JsonSerializer.Deserialize<JsonElement>(text);
        Assert.Equal(mask.Shares.Count, classes.GetArrayLength());
        ILookup<int, Region> expected = mask.Regions().ToLookup(region => region.Label);
        foreach (JsonElement entry in classes.EnumerateArray())
        {
            int[] given = [.. entry.GetProperty("regions").EnumerateArray()
                .SelectMany(region => region.GetProperty("polygon").EnumerateArray())
                .SelectMany(ring => ring.EnumerateArray())
                .SelectMany(point => point.EnumerateArray().Select(number => number.GetInt32()))];
            int[] wanted = [.. expected[entry.GetProperty("index").GetInt32()].SelectMany(region => region.Rings)
                .SelectMany(ring => ring.Points).SelectMany(point => (int[])[point.X, point.Y])];
            Assert.NotEmpty(wanted);
            Assert.Equal(wanted, given);
        }
    }
}
