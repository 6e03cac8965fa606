using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Server.Rpc.Wire;
using Atrous.Tests.Serving.OpenInference;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Atrous.Tests.Serving.Soak;

/// <summary>A call over gRPC that must succeed, and how to tell that its answer is right.</summary>
internal sealed record GoodCall(
    string Name, Func<GRPCInferenceService.GRPCInferenceServiceClient, Task<bool>> IsRight)
{
    /// <summary>Ways to ask for a photo's classes, checked against the library's own answer.</summary>
    public static IEnumerable<GoodCall> For(byte[] photo, Segmenter library)
    {
        using Image image = Image.Load(photo);
        ushort[] labels = library.Segment(image).Labels.ToArray();
        byte[] pixels = image.Pixels.ToArray();
        (int width, int height) = (image.Width, image.Height);

        yield return new("grpc file", async client => HasLabels(await client.ModelInferAsync(File())));
        yield return new("grpc pixels", async client => HasLabels(await client.ModelInferAsync(
            Request("UINT8", [1, height, width, 3], pixels))));
        yield return new("grpc stream", async client =>
        {
            using AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream =
                client.ModelStreamInfer();
            bool right = true;
            for (int i = 0; i < 3; i++)
            {
                await stream.RequestStream.WriteAsync(File());
                right &= await stream.ResponseStream.MoveNext(CancellationToken.None)
                    && stream.ResponseStream.Current.ErrorMessage.Length == 0
                    && HasLabels(stream.ResponseStream.Current.InferResponse);
            }
            await stream.RequestStream.CompleteAsync();
            return right && !await stream.ResponseStream.MoveNext(CancellationToken.None);
        });
        // A client that is killed in a stream leaves nothing behind.
        yield return new("grpc stream that is left", async client =>
        {
            using AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream =
                client.ModelStreamInfer();
            await stream.RequestStream.WriteAsync(File());
            return true;
        });

        ModelInferRequest File() => Request("BYTES", [1], Protocol.Bytes(photo));

        bool HasLabels(ModelInferResponse answer)
        {
            int at = answer.Outputs.Select(output => output.Name).ToList().IndexOf("labels");
            ReadOnlySpan<byte> raw = answer.RawOutputContents[at].Span;
            return answer.Outputs[at].Datatype == "UINT8"
                ? raw.SequenceEqual(Array.ConvertAll(labels, label => (byte)label))
                : MemoryMarshal.Cast<byte, ushort>(raw).SequenceEqual(labels);
        }
    }

    /// <summary>Makes it; null, or what is wrong with the answer.</summary>
    public async Task<string?> TryAsync(GrpcChannel channel)
    {
        try
        {
            return await IsRight(new(channel)) ? null : $"{Name}: a wrong answer";
        }
        catch (RpcException e)
        {
            return $"{Name}: {e.Status}";
        }
    }

    private static ModelInferRequest Request(string datatype, long[] shape, byte[] data) => new()
    {
        ModelName = "street",
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor { Name = "image", Datatype = datatype, Shape = { shape } },
        },
        RawInputContents = { ByteString.CopyFrom(data) },
    };
}
