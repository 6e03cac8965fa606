using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Server.Rpc.Wire;
using Atrous.Tensors;
using Atrous.Tests.Cli;
using Atrous.Tests.Serving.Rpc;
using Grpc.Core;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>Tiles, scales and the CRF of a request, over /v2 and gRPC.</summary>
public sealed class ScoringParameterTests(ProtocolServer server, RpcServer rpc)
    : IClassFixture<ProtocolServer>, IClassFixture<RpcServer>
{
    private static readonly byte[] Photo = Workplace.Photo(RpcServer.Height, RpcServer.Width);

    public static TheoryData<string, ScoringRequest> Ways => new()
    {
        { "\"tile\":32,\"overlap\":0.5", new() { Window = new SlidingWindow(32, 0.5) } },
        { "\"scales\":\"0.5,1.25\"", new() { Augmentation = new TestTimeAugmentation([0.5, 1.25], flip: false) } },
        { "\"flip\":true,\"crf\":\"none\"", new() { Augmentation = new TestTimeAugmentation([1], flip: true) } },
        { "\"crf\":\"deeplabv2\",\"else\":{\"a\":1}", new() { Crf = DenseCrfParameters.DeepLabV2 } },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Over_HTTP_they_are_those_of_a_request_in_CSharp(string parameters, ScoringRequest scoring)
    {
        Answer answer = (await AskAsync(parameters, pictures: 2, "labels")).Succeeds();
        ushort[] expected = await ExpectAsync(server.Server.Models.Default, scoring);
        Assert.Equal([.. expected, .. expected], answer.Values("labels").Select(label => (ushort)label));
        await server.ExpectAsync(Photo);
    }

    [Fact]
    public async Task Over_gRPC_too()
    {
        ModelInferRequest request = RpcServer.PhotoRequest();
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "labels" });
        request.Parameters["tile"] = new InferParameter { Int64Param = 32 };
        request.Parameters["overlap"] = new InferParameter { DoubleParam = 0.5 };
        request.Parameters["flip"] = new InferParameter { BoolParam = true };
        request.Parameters["scales"] = new InferParameter { StringParam = "0.75,1" };
        ModelInferResponse answer = await rpc.Client.ModelInferAsync(request);
        ushort[] expected = await ExpectAsync(rpc.Server.Models.Default, new ScoringRequest
        {
            Window = new SlidingWindow(32, 0.5),
            Augmentation = new TestTimeAugmentation([0.75, 1], flip: true),
        });
        Assert.Equal(expected, answer.RawOutputContents[0].Select(label => (ushort)label));

        request.Parameters["tile"] = new InferParameter { StringParam = "large" };
        await RpcServer.Refuses(
            StatusCode.InvalidArgument, async () => await rpc.Client.ModelInferAsync(request),
            "The tile 'large' is not a whole number from 32 to 16384.");
        await rpc.ExpectAsync();
    }

    /// <summary>Probabilities are those that the labels come from.</summary>
    [Fact]
    public async Task Probabilities_are_scored_alike()
    {
        Answer answer = (await AskAsync("\"scales\":\"0.5,1.25\"", pictures: 1, "probabilities")).Succeeds();
        var averaged = new SegmenterOptions { Augmentation = new TestTimeAugmentation([0.5, 1.25], flip: false) };
        using (var loaded = Segmenter.Load(server.Server.Models.Default.Info.Path, averaged))
        {
            using Image image = Image.Load(Photo);
            using Tensor expected = loaded.Probabilities(image);
            Assert.Equal(
                expected.Image<float>(0).ToArray(), answer.Values("probabilities").Select(value => (float)value));
        }
        await server.ExpectAsync(Photo);
    }

    [Theory]
    [InlineData("\"tile\":31", "labels", "The tile '31' is not a whole number from 32 to 16384.")]
    [InlineData("\"tile\":32,\"crf\":\"deeplabv2\"", "labels", "which a sliding window never has")]
    [InlineData("\"flip\":[true]", "labels", "The parameter flip must be a short text, a number, true or false.")]
    [InlineData("\"crf\":\"\"", "labels", "The parameter crf has no value.")]
    [InlineData("\"overlap\":0.5", "labels", "The parameter overlap is that of tile; give both.")]
    [InlineData("\"tile\":32", "probabilities", "never holds the probabilities of a whole picture")]
    public async Task What_cannot_be_is_refused(string parameters, string output, string sentence)
    {
        long before = Runs();
        (await AskAsync(parameters, pictures: 1, output)).Refuses(400, sentence);
        // Before the network has run for it.
        Assert.Equal(before, Runs());
        await server.ExpectAsync(Photo);
    }

    private long Runs() => server.Server.Models.Default.Statistics.Batches.Sum(batch => batch.Network.Count);

    private static async Task<ushort[]> ExpectAsync(IServedModel model, ScoringRequest scoring)
    {
        using Image image = Image.Load(Photo);
        return (await model.SegmentAsync(image, new SegmentRequest { Scoring = scoring })).Labels.ToArray();
    }

    private Task<Answer> AskAsync(string parameters, int pictures, string output)
    {
        byte[] tensor = Protocol.Bytes([.. Enumerable.Repeat(Photo, pictures)]);
        string json = $$$"""
            {"parameters":{{{{parameters}}}},
             "inputs":[{"name":"image","shape":[{{{pictures}}}],"datatype":"BYTES",
                        "parameters":{"binary_data_size":{{{tensor.Length}}}}}],
             "outputs":[{"name":"{{{output}}}","parameters":{"binary_data":true}}]}
            """;
        return server.Http.AskAsync(Protocol.Binary(json, tensor));
    }
}
