using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Server.Rpc.Wire;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving.OpenInference;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Atrous.Tests.Serving.Rpc;

/// <summary>A server with the small model "street" and a port for gRPC, and a client, for the tests of a class.</summary>
public sealed class RpcServer(GeneratedModel model) : IAsyncLifetime
{
    public const int Height = 33, Width = 37;

    private AtrousServer? _server;
    private GrpcChannel? _channel;

    public static byte[] Photo { get; } = Workplace.Photo(Height, Width);

    internal AtrousServer Server => _server!;

    internal GrpcChannel Channel => _channel!;

    internal GRPCInferenceService.GRPCInferenceServiceClient Client => new(Channel);

    internal BodyBudget Bodies => (BodyBudget)Server.Services.GetService(typeof(BodyBudget))!;

    public async ValueTask InitializeAsync()
    {
        _server = AtrousServer.Create(
            ProtocolServer.Options(model.Path, admin: false) with { GrpcPort = 0, DrainDelay = TimeSpan.Zero });
        await _server.StartAsync();
        await _server.Models.WhenLoadedAsync();
        _channel = GrpcChannel.ForAddress(_server.GrpcAddress!);
        // The model keeps the memory of one size.
        await ExpectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>What the library makes of the photo: the truth that answers are compared with.</summary>
    public async Task<Segmentation> ExpectAsync()
    {
        using Image image = Image.Load(Photo);
        return await Server.Models.Default.SegmentAsync(image, new SegmentRequest { Confidence = true });
    }

    /// <summary>A request of one input, whose data is still to be given.</summary>
    internal static ModelInferRequest Request(string datatype, params long[] shape) => new()
    {
        ModelName = "street",
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor { Name = "image", Datatype = datatype, Shape = { shape } },
        },
    };

    /// <summary>The photo as a file, raw.</summary>
    internal static ModelInferRequest PhotoRequest(string id = "")
    {
        ModelInferRequest request = Request("BYTES", 1);
        request.Id = id;
        request.RawInputContents.Add(ByteString.CopyFrom(Protocol.Bytes(Photo)));
        return request;
    }

    /// <summary>The answer has the labels and the confidence of the photo.</summary>
    internal async Task AssertMask(ModelInferResponse answer)
    {
        Segmentation expected = await ExpectAsync();
        Assert.Equal(["labels", "confidence"], answer.Outputs.Select(output => output.Name));
        Assert.Equal(["UINT8", "FP32"], answer.Outputs.Select(output => output.Datatype));
        Assert.All(answer.Outputs, output => Assert.Equal([1, Height, Width], output.Shape));
        Assert.Equal(expected.Labels.ToArray(), answer.RawOutputContents[0].Select(label => (ushort)label));
        Assert.Equal(
            expected.Confidence, MemoryMarshal.Cast<byte, float>(answer.RawOutputContents[1].Span));
    }

    /// <summary>The call fails with this status and one sentence that has these words.</summary>
    internal static async Task<RpcException> Refuses(StatusCode code, Func<Task> call, params string[] words)
    {
        RpcException e = await Assert.ThrowsAsync<RpcException>(call);
        Assert.True(e.StatusCode == code, e.ToString());
        Assert.All(words, word => Assert.Contains(word, e.Status.Detail));
        Assert.DoesNotContain("   at ", e.Status.Detail);
        return e;
    }

    /// <summary>Nothing is held any more, once what was cut off has ended.</summary>
    internal async Task AssertNothingLeft()
    {
        for (int i = 0; Bodies.Held > 0 || Server.Models.Default.Statistics.QueueLength > 0; i++)
        {
            Assert.True(i < 500, $"{Bodies.Held} bytes held, {Server.Models.Default.Statistics.QueueLength} wait");
            await Task.Delay(20);
        }
    }
}
