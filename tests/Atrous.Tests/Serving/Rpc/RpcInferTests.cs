using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Server.Rpc.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace Atrous.Tests.Serving.Rpc;

/// <summary>ModelInfer and ModelStreamInfer in every form in which the protocol lets a client ask.</summary>
public sealed class RpcInferTests(RpcServer server) : IClassFixture<RpcServer>
{
    private static readonly byte[] Pixels = PixelsOf(RpcServer.Photo);

    [Fact]
    public async Task A_file_may_be_raw_or_an_element()
    {
        ModelInferResponse answer = await server.Client.ModelInferAsync(RpcServer.PhotoRequest("42"));
        await server.AssertMask(answer);
        Assert.Equal(("street", "1", "42"), (answer.ModelName, answer.ModelVersion, answer.Id));

        ModelInferRequest request = RpcServer.Request("BYTES", 1);
        request.ModelVersion = "1";
        request.Inputs[0].Contents = new() { BytesContents = { ByteString.CopyFrom(RpcServer.Photo) } };
        await server.AssertMask(await server.Client.ModelInferAsync(request));
        await server.AssertNothingLeft();
    }

    [Theory]
    [InlineData("UINT8")]
    [InlineData("INT64")]
    [InlineData("FP32")]
    [InlineData("FP64")]
    public async Task Pixels_may_be_raw_or_lists_of_numbers(string datatype)
    {
        ModelInferRequest request = RpcServer.Request(datatype, 1, RpcServer.Height, RpcServer.Width, 3);
        request.RawInputContents.Add(ByteString.CopyFrom(datatype switch
        {
            "UINT8" => Pixels,
            "INT64" => Bytes(Pixels.Select(pixel => (long)pixel)),
            "FP32" => Bytes(Pixels.Select(pixel => (float)pixel)),
            _ => Bytes(Pixels.Select(pixel => (double)pixel)),
        }));
        await server.AssertMask(await server.Client.ModelInferAsync(request));

        request.RawInputContents.Clear();
        request.Inputs[0].Contents = datatype switch
        {
            "UINT8" => new() { UintContents = { Pixels.Select(pixel => (uint)pixel) } },
            "INT64" => new() { Int64Contents = { Pixels.Select(pixel => (long)pixel) } },
            "FP32" => new() { Fp32Contents = { Pixels.Select(pixel => (float)pixel) } },
            _ => new() { Fp64Contents = { Pixels.Select(pixel => (double)pixel) } },
        };
        await server.AssertMask(await server.Client.ModelInferAsync(request));
    }

    [Fact]
    public async Task Outputs_are_those_that_are_named_and_lists_where_nothing_binary_is_wanted()
    {
        ModelInferRequest request = RpcServer.PhotoRequest();
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "labels" });
        ModelInferResponse answer = await server.Client.ModelInferAsync(request);
        Assert.Equal("labels", Assert.Single(answer.Outputs).Name);
        byte[] labels = Assert.Single(answer.RawOutputContents).ToByteArray();

        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "shares" });
        answer = await server.Client.ModelInferAsync(request);
        Assert.Equal([1, 5], answer.Outputs[1].Shape);
        float[] shares = MemoryMarshal.Cast<byte, float>(answer.RawOutputContents[1].Span).ToArray();
        Assert.All(
            (await server.ExpectAsync()).Shares, share => Assert.Equal(share.Share, shares[share.Label], 1e-6));
        request.Parameters["binary_data_output"] = new InferParameter { BoolParam = false };
        answer = await server.Client.ModelInferAsync(request);
        Assert.Equal(shares, answer.Outputs[1].Contents.Fp32Contents);

        request.Outputs.Clear();
        request.Parameters["binary_data_output"] = new InferParameter { BoolParam = false };
        answer = await server.Client.ModelInferAsync(request);
        Assert.Empty(answer.RawOutputContents);
        Assert.Equal(labels, answer.Outputs[0].Contents.UintContents.Select(label => (byte)label));
        Assert.Equal((await server.ExpectAsync()).Confidence.ToArray(), answer.Outputs[1].Contents.Fp32Contents);
    }

    [Fact]
    public async Task A_stream_has_an_answer_to_each_request_in_their_order_and_goes_on_after_a_bad_one()
    {
        using AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> call =
            server.Client.ModelStreamInfer();
        ModelInferRequest bad = RpcServer.PhotoRequest("2");
        bad.RawInputContents[0] = ByteString.CopyFrom(Serving.OpenInference.Protocol.Bytes("no picture"u8.ToArray()));
        foreach (ModelInferRequest request in new[] { RpcServer.PhotoRequest("1"), bad, RpcServer.PhotoRequest("3") })
            await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        var answers = new List<ModelStreamInferResponse>();
        await foreach (ModelStreamInferResponse answer in call.ResponseStream.ReadAllAsync())
            answers.Add(answer);
        Assert.Equal(["1", "2", "3"], answers.Select(answer => answer.InferResponse.Id));
        await server.AssertMask(answers[0].InferResponse);
        Assert.NotEmpty(answers[1].ErrorMessage);
        Assert.Empty(answers[1].InferResponse.Outputs);
        await server.AssertMask(answers[2].InferResponse);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        await server.AssertNothingLeft();
    }

    private static byte[] Bytes<T>(IEnumerable<T> values)
        where T : struct => MemoryMarshal.AsBytes<T>(values.ToArray()).ToArray();

    private static byte[] PixelsOf(byte[] photo)
    {
        using Image image = Image.Load(photo);
        return image.Pixels.ToArray();
    }
}
