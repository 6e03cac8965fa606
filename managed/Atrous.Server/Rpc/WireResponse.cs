using System.Runtime.InteropServices;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc.Wire;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.Rpc;

/// <summary>Masks as an answer of gRPC: raw tensors, or lists of numbers for who wants no binary outputs.</summary>
internal static class WireResponse
{
    /// <summary>What protobuf can hold in one message.</summary>
    private const long Most = int.MaxValue - (1 << 16);

    /// <summary>Bytes of a pixel that an answer keeps in memory: the tensors, and the message as it is sent.</summary>
    public static int HeldPerPixel(IReadOnlyList<OutputTensor> outputs) =>
        outputs.Where(output => !output.IsOfClasses)
            .Sum(output => 2 * (output.Binary ? output.Type.SizeInBytes() : sizeof(uint)));

    /// <summary>The answer to a request.</summary>
    /// <param name="model">The name that the request called the model by.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="masks">The masks, in the order of the request's pictures; at least one.</param>
    /// <exception cref="ProtocolException">The answer is more than a message can hold.</exception>
    public static ModelInferResponse Of(string model, InferRequest request, IReadOnlyList<Segmentation> masks)
    {
        var response = new ModelInferResponse
        {
            ModelName = model,
            ModelVersion = ModelSurface.Version,
            Id = request.Id ?? "",
        };
        // A reload may have changed the classes meanwhile: the mask knows.
        IReadOnlyList<OutputTensor> outputs = ModelSurface.Outputs(request, masks[0].Classes);
        long pixels = masks.Sum(mask => (long)mask.Labels.Length);
        if (pixels * HeldPerPixel(outputs) / 2 > Most)
            throw new ProtocolException(
                "The answer is more than a message of gRPC can hold; ask for fewer outputs, or send less at a time.",
                StatusCodes.Status413PayloadTooLarge);
        foreach (OutputTensor output in outputs)
        {
            var tensor = new ModelInferResponse.Types.InferOutputTensor
            {
                Name = output.Name,
                Datatype = output.Type.Name(),
                Shape = { output.ShapeOf(masks) },
            };
            if (output.Binary)
                response.RawOutputContents.Add(Raw(output, masks, pixels));
            else
                tensor.Contents = Contents(output, masks, pixels);
            response.Outputs.Add(tensor);
        }
        return response;
    }

    private static float[] Shares(IReadOnlyList<Segmentation> masks) => [.. masks.SelectMany(OutputTensor.SharesOf)];

    private static ByteString Raw(OutputTensor output, IReadOnlyList<Segmentation> masks, long pixels)
    {
        if (output.IsOfClasses)
            return ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(Shares(masks)));
        var bytes = new byte[pixels * output.Type.SizeInBytes()];
        Span<byte> rest = bytes;
        foreach (Segmentation mask in masks)
        {
            int length = mask.Labels.Length * output.Type.SizeInBytes();
            switch (output.Type)
            {
                case TensorType.Fp32:
                    MemoryMarshal.AsBytes(mask.Confidence).CopyTo(rest);
                    break;
                case TensorType.UInt16:
                    MemoryMarshal.AsBytes(mask.Labels).CopyTo(rest);
                    break;
                default:
                    mask.CopyLabels(rest);
                    break;
            }
            rest = rest[length..];
        }
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static InferTensorContents Contents(OutputTensor output, IReadOnlyList<Segmentation> masks, long pixels)
    {
        var contents = new InferTensorContents();
        if (output.IsOfClasses)
        {
            contents.Fp32Contents.AddRange(Shares(masks));
            return contents;
        }
        if (output.Type == TensorType.Fp32)
        {
            contents.Fp32Contents.Capacity = (int)pixels;
            foreach (Segmentation mask in masks)
                contents.Fp32Contents.AddRange(mask.Confidence);
            return contents;
        }
        contents.UintContents.Capacity = (int)pixels;
        foreach (Segmentation mask in masks)
        {
            foreach (ushort label in mask.Labels)
                contents.UintContents.Add(label);
        }
        return contents;
    }
}
