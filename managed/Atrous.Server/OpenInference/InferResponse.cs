using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text.Json;
using Atrous.Postprocessing;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>An output of an answer.</summary>
/// <param name="Name">One of the outputs' names in <see cref="ModelSurface"/>.</param>
/// <param name="Type">UINT8, UINT16 or FP32.</param>
/// <param name="Binary">After the JSON, or in it.</param>
internal sealed record OutputTensor(string Name, TensorType Type, bool Binary)
{
    /// <summary>It has an element for each class, and not for each pixel.</summary>
    public bool IsOfClasses => Name == ModelSurface.Shares;

    /// <summary>The dimensions of the output for these masks.</summary>
    public long[] ShapeOf(IReadOnlyList<Segmentation> masks) => IsOfClasses
        ? [masks.Count, masks[0].Classes]
        : [masks.Count, masks[0].Height, masks[0].Width];

    /// <summary>The size of the output for these masks.</summary>
    public long BytesOf(IReadOnlyList<Segmentation> masks) =>
        ShapeOf(masks).Aggregate(1L, (product, side) => product * side) * Type.SizeInBytes();

    /// <summary>The share of the picture that each class has.</summary>
    public static float[] SharesOf(Segmentation mask)
    {
        var shares = new float[mask.Classes];
        foreach (ClassShare share in mask.Shares)
            shares[share.Label] = (float)share.Share;
        return shares;
    }
}

/// <summary>
/// Writes an answer: JSON, and behind it the binary outputs in the order in which the JSON names them. Tensors go out
/// block by block straight from the masks, at the pace at which the client takes them.
/// </summary>
internal sealed class InferResponse(
    string model, string? id, IReadOnlyList<OutputTensor> outputs, IReadOnlyList<Segmentation> masks)
{
    /// <summary>Bytes of the JSON part, in requests and answers that have a binary part.</summary>
    public const string HeaderLength = "Inference-Header-Content-Length";

    private const int BlockElements = 8192;

    /// <summary>How long it is, roughly: as JSON a label has 3 digits, and a confidence 12.</summary>
    public long Bytes => outputs.Sum(output => SizeInBytes(output) * (output.Binary ? 1 : 4));

    /// <summary>Bytes of a pixel that an answer keeps in memory: JSON, where binary outputs follow it.</summary>
    public static int HeldPerPixel(IReadOnlyList<OutputTensor> outputs)
    {
        // Digits and a comma, in a buffer that is copied as it grows.
        const int label = 3 * 6, confidence = 3 * 14;
        return outputs.Any(output => output.Binary)
            ? outputs.Where(output => !output.Binary && !output.IsOfClasses)
                .Sum(output => output.Type == TensorType.Fp32 ? confidence : label)
            : 0;
    }

    /// <summary>Writes headers and body.</summary>
    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        if (!outputs.Any(output => output.Binary))
        {
            response.ContentType = "application/json";
            await using var text = new Utf8JsonWriter(response.BodyWriter);
            await WriteJsonAsync(text, response.BodyWriter, cancellationToken);
            return;
        }
        var header = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(header))
            await WriteJsonAsync(json, null, cancellationToken);
        response.ContentType = "application/octet-stream";
        response.Headers[HeaderLength] = header.WrittenCount.ToString();
        response.ContentLength = header.WrittenCount + outputs.Where(output => output.Binary).Sum(SizeInBytes);
        PipeWriter body = response.BodyWriter;
        body.Write(header.WrittenSpan);
        foreach (OutputTensor output in outputs.Where(output => output.Binary))
        {
            foreach (Segmentation mask in masks)
            {
                if (output.IsOfClasses)
                {
                    body.Write(MemoryMarshal.AsBytes<float>(OutputTensor.SharesOf(mask)));
                    continue;
                }
                for (int from = 0; from < mask.Labels.Length; from += BlockElements)
                {
                    WriteBinary(body, output, mask, from);
                    await body.FlushAsync(cancellationToken);
                }
            }
        }
    }

    /// <param name="json">The writer that the answer's JSON goes to.</param>
    /// <param name="body">Where the writer writes to, for flushing; null for memory.</param>
    /// <param name="cancellationToken">The client is gone.</param>
    private async Task WriteJsonAsync(Utf8JsonWriter json, PipeWriter? body, CancellationToken cancellationToken)
    {
        json.WriteStartObject();
        json.WriteString("model_name", model);
        json.WriteString("model_version", ModelSurface.Version);
        if (id is not null)
            json.WriteString("id", id);
        json.WriteStartArray("outputs");
        foreach (OutputTensor output in outputs)
        {
            json.WriteStartObject();
            json.WriteString("name", output.Name);
            json.WriteString("datatype", output.Type.Name());
            json.WriteStartArray("shape");
            foreach (long side in output.ShapeOf(masks))
                json.WriteNumberValue(side);
            json.WriteEndArray();
            if (output.Binary)
            {
                json.WriteStartObject("parameters");
                json.WriteNumber("binary_data_size", SizeInBytes(output));
                json.WriteEndObject();
            }
            else
            {
                await WriteDataAsync(json, body, output, cancellationToken);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Flat, row by row: every client takes that, and it is the shortest.</summary>
    private async Task WriteDataAsync(
        Utf8JsonWriter json, PipeWriter? body, OutputTensor output, CancellationToken cancellationToken)
    {
        json.WriteStartArray("data");
        foreach (Segmentation mask in masks)
        {
            if (output.IsOfClasses)
            {
                foreach (float share in OutputTensor.SharesOf(mask))
                    json.WriteNumberValue(share);
                continue;
            }
            for (int from = 0; from < mask.Labels.Length; from += BlockElements)
            {
                WriteNumbers(json, output, mask, from);
                if (body is null)
                    continue;
                json.Flush();
                await body.FlushAsync(cancellationToken);
            }
        }
        json.WriteEndArray();
    }

    private long SizeInBytes(OutputTensor output) => output.BytesOf(masks);

    private static void WriteNumbers(Utf8JsonWriter json, OutputTensor output, Segmentation mask, int from)
    {
        int to = Math.Min(from + BlockElements, mask.Labels.Length);
        if (output.Type != TensorType.Fp32)
        {
            foreach (ushort label in mask.Labels[from..to])
                json.WriteNumberValue(label);
            return;
        }
        foreach (float confidence in mask.Confidence[from..to])
        {
            // JSON has no NaN; null is what other writers put in its place.
            if (float.IsFinite(confidence))
                json.WriteNumberValue(confidence);
            else
                json.WriteNullValue();
        }
    }

    private static void WriteBinary(PipeWriter body, OutputTensor output, Segmentation mask, int from)
    {
        int to = Math.Min(from + BlockElements, mask.Labels.Length);
        switch (output.Type)
        {
            case TensorType.Fp32:
                body.Write(MemoryMarshal.AsBytes(mask.Confidence[from..to]));
                break;
            case TensorType.UInt16:
                body.Write(MemoryMarshal.AsBytes(mask.Labels[from..to]));
                break;
            default:
                Span<byte> bytes = body.GetSpan(to - from);
                ReadOnlySpan<ushort> labels = mask.Labels[from..to];
                for (int i = 0; i < labels.Length; i++)
                    bytes[i] = (byte)labels[i];
                body.Advance(labels.Length);
                break;
        }
    }
}
