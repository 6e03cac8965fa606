using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Writes an answer: JSON, and behind it the binary outputs in the order in which the JSON names them. Tensors go out
/// block by block straight from the masks, at the pace at which the client takes them.
/// </summary>
internal sealed class InferResponse(
    string model, string? id, IReadOnlyList<OutputTensor> outputs, InferredMasks results)
{
    /// <summary>Bytes of the JSON part, in requests and answers that have a binary part.</summary>
    public const string HeaderLength = "Inference-Header-Content-Length";

    private const int BlockElements = 8192;

    /// <summary>How long it is, roughly: as JSON a label has 3 digits, and a confidence 12.</summary>
    public long Bytes => outputs.Sum(output => SizeInBytes(output) * (output.Binary ? 1 : 4));

    /// <summary>What an answer keeps in memory: JSON, where binary outputs follow it.</summary>
    public static AnswerCost CostOf(IReadOnlyList<OutputTensor> outputs)
    {
        // Digits and a comma, in a buffer that is copied as it grows.
        const int label = 6, number = 15, copies = 3;
        int json = outputs.Any(output => output.Binary)
            ? outputs.Where(output => !output.Binary)
                .Sum(output => output.ElementsPerPixel * (output.Type == TensorType.Fp32 ? number : label))
            : 0;
        return new AnswerCost(copies * json)
        {
            JsonPerPixel = json,
            HasJsonText = outputs.Any(output => output.IsText && !output.Binary),
            HoldsJson = outputs.Any(output => output.Binary),
        };
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
            for (int picture = 0; picture < results.Masks.Count; picture++)
            {
                if (output.IsText)
                {
                    WriteText(body, results.Polygons[picture]);
                    await body.FlushAsync(cancellationToken);
                    continue;
                }
                int length = output.LengthOf(results);
                for (int from = 0; from < length; from += BlockElements)
                {
                    WriteBinary(body, output, picture, from..Math.Min(from + BlockElements, length));
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
            foreach (long side in output.ShapeOf(results))
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
        for (int picture = 0; picture < results.Masks.Count; picture++)
        {
            if (output.IsText)
            {
                json.WriteStringValue(results.Polygons[picture]);
                continue;
            }
            int length = output.LengthOf(results);
            for (int from = 0; from < length; from += BlockElements)
            {
                WriteNumbers(json, output, picture, from..Math.Min(from + BlockElements, length));
                if (body is null)
                    continue;
                json.Flush();
                await body.FlushAsync(cancellationToken);
            }
        }
        json.WriteEndArray();
    }

    private long SizeInBytes(OutputTensor output) => output.BytesOf(results);

    private void WriteNumbers(Utf8JsonWriter json, OutputTensor output, int picture, Range part)
    {
        if (output.Type != TensorType.Fp32)
        {
            foreach (ushort label in results.Masks[picture].Labels[part])
                json.WriteNumberValue(label);
            return;
        }
        foreach (float number in output.FloatsOf(results, picture)[part])
        {
            // JSON has no NaN; null is what other writers put in its place.
            if (float.IsFinite(number))
                json.WriteNumberValue(number);
            else
                json.WriteNullValue();
        }
    }

    private void WriteBinary(PipeWriter body, OutputTensor output, int picture, Range part)
    {
        switch (output.Type)
        {
            case TensorType.Fp32:
                body.Write(MemoryMarshal.AsBytes(output.FloatsOf(results, picture)[part]));
                break;
            case TensorType.UInt16:
                body.Write(MemoryMarshal.AsBytes(results.Masks[picture].Labels[part]));
                break;
            default:
                ReadOnlySpan<ushort> labels = results.Masks[picture].Labels[part];
                Span<byte> bytes = body.GetSpan(labels.Length);
                for (int i = 0; i < labels.Length; i++)
                    bytes[i] = (byte)labels[i];
                body.Advance(labels.Length);
                break;
        }
    }

    private static void WriteText(PipeWriter body, byte[] text)
    {
        BinaryPrimitives.WriteInt32LittleEndian(body.GetSpan(sizeof(int)), text.Length);
        body.Advance(sizeof(int));
        body.Write(text);
    }
}
