using System.Net;
using Atrous.Hosting;
using Atrous.Server.Rpc;
using Atrous.Server.Rpc.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Atrous.Tests.Serving.Rpc;

/// <summary>What gRPC refuses, by which status code, and what is left behind: nothing.</summary>
public sealed class RpcRefusalTests(RpcServer server) : IClassFixture<RpcServer>
{
    public static TheoryData<string, string> Bad => new()
    {
        { "no inputs", "no inputs" },
        { "other input", "one input, 'image'" },
        { "twice", "there twice" },
        { "no data", "has no data" },
        { "both", "leave one of them away" },
        { "too few raw", "there is one for each input" },
        { "negative", "no dimension is negative" },
        { "rank", "more than 16 dimensions" },
        { "overflow", "overflows 63" },
        { "type", "There is no datatype 'uint8'" },
        { "other list", "another list" },
        { "out of range", "element 1 is 256, which UINT8 cannot hold" },
        { "fp16 list", "FP16 has no list" },
        { "fewer", "takes 3663 bytes, but 2 were sent" },
        { "normalised", "is no pixel" },
        { "broken file", "neither a JPEG nor a PNG" },
        { "torn", "each element" },
        { "shared memory", "Shared memory is not served" },
        { "sequence", "Sequences are not served" },
        { "classification", "classification extension is not served" },
        { "output", "There is no output 'masks'" },
        { "priority", "The parameter priority is a whole number" },
        { "too many pixels", "are allowed in a request" },
        { "too many pictures", "17 pictures, 16 are allowed" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_request_that_does_not_suit_is_an_invalid_argument(string kind, string words)
    {
        await RpcServer.Refuses(
            StatusCode.InvalidArgument, async () => await server.Client.ModelInferAsync(Make(kind)), words);
        await server.AssertNothingLeft();
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        ModelInferRequest request = RpcServer.PhotoRequest();
        request.ModelName = "rooms";
        await RpcServer.Refuses(
            StatusCode.NotFound, async () => await server.Client.ModelInferAsync(request), "rooms");
        await RpcServer.Refuses(
            StatusCode.NotFound,
            async () => await server.Client.ModelMetadataAsync(new() { Name = "street", Version = "2" }),
            "no version '2'");
        await RpcServer.Refuses(
            StatusCode.Unimplemented, async () => await Call("inference.GRPCInferenceService", "TraceSetting"));
    }

    /// <summary>Load balancers ask so for models that come later; Triton answers them without an error.</summary>
    [Theory]
    [InlineData("rooms", "")]
    [InlineData("", "")]
    [InlineData("street", "2")]
    public async Task A_model_that_is_not_there_is_not_ready(string name, string version) =>
        Assert.False((await server.Client.ModelReadyAsync(new() { Name = name, Version = version })).Ready);

    [Fact]
    public async Task Models_are_not_loaded_where_nobody_permits_it()
    {
        await RpcServer.Refuses(
            StatusCode.PermissionDenied, async () => await server.Client.RepositoryIndexAsync(new()), "switched off");
        await RpcServer.Refuses(
            StatusCode.PermissionDenied,
            async () => await server.Client.RepositoryModelUnloadAsync(new() { ModelName = "street" }), "switched off");
        Assert.True((await server.Client.ModelReadyAsync(new() { Name = "street" })).Ready);
    }

    [Fact]
    public async Task A_message_that_is_too_large_or_would_become_so_is_refused_before_it_is_read()
    {
        ModelInferRequest large = RpcServer.Request("BYTES", 1);
        large.RawInputContents.Add(ByteString.CopyFrom(new byte[OpenInference.ProtocolServer.MaxBodyBytes]));
        await RpcServer.Refuses(
            StatusCode.ResourceExhausted, async () => await server.Client.ModelInferAsync(large), "are allowed");

        // Two bytes are an input of nothing, which takes hundreds in memory.
        var many = new ModelInferRequest { ModelName = "street" };
        for (int i = 0; i < 400_000; i++)
            many.Inputs.Add(new ModelInferRequest.Types.InferInputTensor());
        await RpcServer.Refuses(
            StatusCode.ResourceExhausted, async () => await server.Client.ModelInferAsync(many), "raw_input_contents");
        var entries = new RepositoryModelLoadRequest();
        for (int i = 0; i < 10_000; i++)
            entries.Parameters[$"{i}"] = new ModelRepositoryParameter();
        await RpcServer.Refuses(
            StatusCode.ResourceExhausted, async () => await server.Client.RepositoryModelLoadAsync(entries));
        await server.AssertNothingLeft();
    }

    [Fact]
    public async Task Compressed_messages_are_not_served()
    {
        var metadata = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        await RpcServer.Refuses(
            StatusCode.Unimplemented,
            async () => await server.Client.ModelInferAsync(RpcServer.PhotoRequest(), metadata));
        await server.AssertNothingLeft();
    }

    [Fact]
    public async Task Deadlines_timeouts_and_cancelled_calls_free_their_place_and_a_full_queue_is_unavailable()
    {
        GatedWork busy = await GatedWork.Occupy(server.Server.Models);
        await RpcServer.Refuses(StatusCode.DeadlineExceeded, async () => await server.Client.ModelInferAsync(
            RpcServer.PhotoRequest(), deadline: DateTime.UtcNow.AddMilliseconds(300)));
        await server.AssertNothingLeft();

        ModelInferRequest hurried = RpcServer.PhotoRequest();
        hurried.Parameters["timeout"] = new InferParameter { Int64Param = 50_000 };
        await RpcServer.Refuses(
            StatusCode.DeadlineExceeded, async () => await server.Client.ModelInferAsync(hurried));

        var gone = new CancellationTokenSource();
        AsyncUnaryCall<ModelInferResponse> cancelled =
            server.Client.ModelInferAsync(RpcServer.PhotoRequest(), cancellationToken: gone.Token);
        await Waiting(1);
        await gone.CancelAsync();
        await RpcServer.Refuses(StatusCode.Cancelled, async () => await cancelled);
        await server.AssertNothingLeft();

        AsyncUnaryCall<ModelInferResponse>[] all =
        [
            .. Enumerable.Range(0, OpenInference.ProtocolServer.QueueLimit)
                .Select(_ => server.Client.ModelInferAsync(RpcServer.PhotoRequest())),
        ];
        await Waiting(all.Length);
        await RpcServer.Refuses(
            StatusCode.Unavailable, async () => await server.Client.ModelInferAsync(RpcServer.PhotoRequest()));
        busy.Open();
        foreach (AsyncUnaryCall<ModelInferResponse> call in all)
            await server.AssertMask(await call);
        await server.AssertNothingLeft();
    }

    [Fact]
    public async Task A_client_that_is_killed_in_a_stream_leaves_nothing_behind()
    {
        GatedWork busy = await GatedWork.Occupy(server.Server.Models);
        using (GrpcChannel channel = GrpcChannel.ForAddress(server.Server.GrpcAddress!))
        {
            var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
            AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> call = client.ModelStreamInfer();
            for (int i = 0; i < 3; i++)
                await call.RequestStream.WriteAsync(RpcServer.PhotoRequest($"{i}"));
            await Waiting(1);
            call.Dispose();
        }
        await server.AssertNothingLeft();
        busy.Open();
        await server.AssertMask(await server.Client.ModelInferAsync(RpcServer.PhotoRequest()));
    }

    [Fact]
    public void The_cost_of_a_message_is_never_less_than_its_bytes_and_broken_ones_have_one_too()
    {
        ModelInferRequest request = RpcServer.PhotoRequest("id");
        byte[] message = request.ToByteArray();
        Assert.InRange(MessageCost.Of(new(message)), message.Length, 20 * message.Length);
        var dice = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] changed = message[..dice.Next(message.Length)];
            for (int j = 0; j < 3 && changed.Length > 0; j++)
                changed[dice.Next(Math.Min(60, changed.Length))] = (byte)dice.Next(256);
            MessageCost.Of(new(changed)); // whatever it is, it is read to some end
        }
        // An empty group that nobody knows, and a length with bits above the 32 that count: the parser reads on.
        foreach (byte[] before in new byte[][] { [0xA3, 0x06, 0xA4, 0x06], [0x0A, 0x80, 0x80, 0x80, 0x80, 0x10] })
        {
            byte[] whole = [.. before, .. message];
            Assert.Equal(request.ModelName, ModelInferRequest.Parser.ParseFrom(whole).ModelName);
            Assert.True(MessageCost.Of(new(whole)) >= message.Length);
        }
    }

    private async Task Waiting(int count)
    {
        for (int i = 0; server.Server.Models.Default.Statistics.QueueLength < count; i++)
        {
            Assert.True(i < 500, $"{server.Server.Models.Default.Statistics.QueueLength} of {count} wait");
            await Task.Delay(20);
        }
    }

    private async Task Call(string service, string method)
    {
        var call = new Method<ServerLiveRequest, ServerLiveResponse>(
            MethodType.Unary, service, method,
            Marshallers.Create(message => message.ToByteArray(), ServerLiveRequest.Parser.ParseFrom),
            Marshallers.Create(message => message.ToByteArray(), ServerLiveResponse.Parser.ParseFrom));
        await server.Channel.CreateCallInvoker().AsyncUnaryCall(call, null, new CallOptions(), new());
    }

    private static ModelInferRequest Make(string kind)
    {
        ModelInferRequest request = RpcServer.PhotoRequest();
        ModelInferRequest pixels = RpcServer.Request("UINT8", 1, RpcServer.Height, RpcServer.Width, 3);
        switch (kind)
        {
            case "no inputs":
                request.Inputs.Clear();
                request.RawInputContents.Clear();
                return request;
            case "other input":
                request.Inputs[0].Name = "photo";
                return request;
            case "twice":
                request.Inputs.Add(request.Inputs[0].Clone());
                request.RawInputContents.Add(request.RawInputContents[0]);
                return request;
            case "no data":
                request.RawInputContents.Clear();
                return request;
            case "both":
                request.Inputs[0].Contents = new();
                return request;
            case "too few raw":
                request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = "b", Datatype = "FP32" });
                return request;
            case "negative":
                request.Inputs[0].Shape[0] = -1;
                return request;
            case "rank":
                request.Inputs[0].Shape.AddRange(new long[16]);
                return request;
            case "overflow":
                pixels.Inputs[0].Shape[1] = long.MaxValue / 2;
                pixels.RawInputContents.Add(ByteString.Empty);
                return pixels;
            case "type":
                pixels.Inputs[0].Datatype = "uint8";
                return pixels;
            case "other list":
                pixels.Inputs[0].Contents = new() { IntContents = { 1, 2, 3 } };
                return pixels;
            case "out of range":
                pixels.Inputs[0].Contents = new() { UintContents = { 255, 256 } };
                return pixels;
            case "fp16 list":
                pixels.Inputs[0].Datatype = "FP16";
                pixels.Inputs[0].Contents = new() { Fp32Contents = { 1 } };
                return pixels;
            case "fewer":
                pixels.Inputs[0].Contents = new() { UintContents = { 1, 2 } };
                return pixels;
            case "normalised":
                ModelInferRequest one = RpcServer.Request("FP32", 1, 1, 1, 3);
                one.Inputs[0].Contents = new() { Fp32Contents = { 0, -1.5f, 2 } };
                return one;
            case "broken file":
                request.RawInputContents[0] =
                    ByteString.CopyFrom(OpenInference.Protocol.Bytes("GIF of no picture"u8.ToArray()));
                return request;
            case "torn":
                request.RawInputContents[0] = ByteString.CopyFrom(9, 0, 0, 0, 1);
                return request;
            case "shared memory":
                request.Inputs[0].Parameters["shared_memory_region"] = new InferParameter { StringParam = "r" };
                return request;
            case "sequence":
                request.Parameters["sequence_id"] = new InferParameter { Int64Param = 1 };
                return request;
            case "classification":
            case "output":
                var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "masks" };
                if (kind == "classification")
                    output.Parameters["classification"] = new InferParameter { Int64Param = 3 };
                request.Outputs.Add(output);
                return request;
            case "priority":
                request.Parameters["priority"] = new InferParameter { StringParam = "high" };
                return request;
            case "too many pixels":
                pixels.Inputs[0].Shape[1] = 100_000;
                pixels.RawInputContents.Add(ByteString.Empty);
                return pixels;
            case "too many pictures":
                request.Inputs[0].Shape[0] = 17;
                return request;
            default:
                throw new ArgumentException(kind);
        }
    }
}
