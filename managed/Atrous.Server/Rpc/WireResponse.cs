using System.Buffers.Binary;
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

    /// <summary>What an answer keeps in memory: the tensors, and the message as it is sent.</summary>
    public static AnswerCost CostOf(IReadOnlyList<OutputTensor> outputs) => new(outputs
        .Where(output => !output.IsText).Sum(output => 2 * output.ElementsPerPixel * SizeOf(output)));

    /// <summary>The answer to a request, which is gone with the results: they hold its raw tensors.</summary>
    /// <param name="model">The name that the request called the model by.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="results">Those of the pictures of the request, at least one.</param>
    /// <exception cref="ProtocolException">The answer is more than a message can hold.</exception>
    public static ModelInferResponse Of(string model, InferRequest request, InferredMasks results)
    {
        var response = new ModelInferResponse
        {
            ModelName = model,
            ModelVersion = ModelSurface.Version,
            Id = request.Id ?? "",
        };
        // A reload may have changed the classes meanwhile: the mask knows.
        IReadOnlyList<OutputTensor> outputs = ModelSurface.Outputs(request, results.Masks[0].Classes);
        long bytes = outputs.Sum(output => output.IsText
            ? output.BytesOf(results)
            : output.BytesOf(results) / output.Type.SizeInBytes() * SizeOf(output));
        if (bytes > Most)
            throw new ProtocolException(
                "The answer is more than a message of gRPC can hold; ask for fewer outputs, or send less at a time.",
                StatusCodes.Status413PayloadTooLarge);
        foreach (OutputTensor output in outputs)
        {
            var tensor = new ModelInferResponse.Types.InferOutputTensor
            {
                Name = output.Name,
                Datatype = output.Type.Name(),
                Shape = { output.ShapeOf(results) },
            };
            if (output.Binary)
                response.RawOutputContents.Add(Raw(output, results));
            else
                tensor.Contents = Contents(output, results);
            response.Outputs.Add(tensor);
        }
        return response;
    }

    /// <summary>Bytes of a number; labels in lists are of four.</summary>
    private static int SizeOf(OutputTensor output) => output.Binary ? output.Type.SizeInBytes() : sizeof(uint);

    private static ByteString Raw(OutputTensor output, InferredMasks results)
    {
        // Megabytes for some milliseconds: arrays of that size would have the whole heap collected every few answers.
        var bytes = new UnmanagedBytes((int)output.BytesOf(results), reused: true);
        results.Answer.Add(bytes);
        Span<byte> rest = bytes.GetSpan();
        for (int picture = 0; picture < results.Masks.Count; picture++)
        {
            Segmentation mask = results.Masks[picture];
            int length = output.IsText
                ? sizeof(int) + results.Polygons[picture].Length
                : output.LengthOf(results) * output.Type.SizeInBytes();
            switch (output.Type)
            {
                case TensorType.Bytes:
                    BinaryPrimitives.WriteInt32LittleEndian(rest, results.Polygons[picture].Length);
                    results.Polygons[picture].CopyTo(rest[sizeof(int)..]);
                    break;
                case TensorType.Fp32:
                    MemoryMarshal.AsBytes(output.FloatsOf(results, picture)).CopyTo(rest);
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
        return UnsafeByteOperations.UnsafeWrap(bytes.Memory);
    }

    private static InferTensorContents Contents(OutputTensor output, InferredMasks results)
    {
        var contents = new InferTensorContents();
        if (output.IsText)
        {
            contents.BytesContents.AddRange(
                results.Polygons.Select(text => UnsafeByteOperations.UnsafeWrap(text)));
            return contents;
        }
        int all = output.LengthOf(results) * results.Masks.Count;
        if (output.Type == TensorType.Fp32)
        {
            contents.Fp32Contents.Capacity = all;
            for (int picture = 0; picture < results.Masks.Count; picture++)
            {
                foreach (float number in output.FloatsOf(results, picture))
                    contents.Fp32Contents.Add(number);
            }
            return contents;
        }
        contents.UintContents.Capacity = all;
        foreach (Segmentation mask in results.Masks)
        {
            foreach (ushort label in mask.Labels)
                contents.UintContents.Add(label);
        }
        return contents;
    }
}
