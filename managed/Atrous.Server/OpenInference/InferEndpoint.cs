using System.Diagnostics;
using System.Globalization;
using Atrous.Hosting;
using Atrous.Hosting.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Atrous.Server.OpenInference;

/// <summary>POST /v2/models/NAME/infer.</summary>
internal sealed class InferEndpoint(IModelCatalog catalog, Inferences inferences, ServerOptions options)
{
    /// <summary>
    /// Answers one request. A full queue or a model that is not ready is told before the body is read. The Content-Type
    /// is not looked at: the clients in use send none, or the wrong one; the header that counts the JSON tells what
    /// there is.
    /// </summary>
    public async Task AnswerAsync(HttpContext context, string model, string? version)
    {
        IServedModel segmenter = catalog.Find(model, version);
        segmenter.EnsureAccepting();
        long? headerLength = HeaderLength(context.Request.Headers[InferResponse.HeaderLength]);
        (InferRequest request, InferredMasks masks) = await RunAsync(segmenter, headerLength, context);
        // Masks are in memory for as long as the client takes to read them.
        using InferredMasks held = masks;
        // A reload may have changed the classes meanwhile: the mask knows.
        var response = new InferResponse(
            model, request.Id, ModelSurface.Outputs(request, masks.Masks[0].Classes), masks);
        using CancellationTokenSource deadline =
            AnswerRoom.Deadline(options.Limits, response.Bytes, context.RequestAborted);
        using Activity? encoding = Instruments.Encoding(model);
        await response.WriteAsync(context.Response, deadline.Token);
    }

    /// <summary>Holds the body no longer than it takes to make the masks.</summary>
    private async Task<(InferRequest Request, InferredMasks Masks)> RunAsync(
        IServedModel segmenter, long? headerLength, HttpContext context)
    {
        using BodyLease body = await RequestBody.ReadAsync(context, context.RequestAborted);
        InferRequest request = headerLength == 0
            ? Raw(body.Memory)
            : InferRequestReader.Read(body.Memory, headerLength, options.Limits.MaxJsonDepth);
        return (request, await inferences.RunAsync(
            segmenter, request, InferResponse.CostOf, context.RequestAborted));
    }

    /// <summary>A raw binary request: the body is the one element of the one input.</summary>
    private static InferRequest Raw(ReadOnlyMemory<byte> body) => new()
    {
        Inputs = [new InputTensor(ModelSurface.Input, TensorType.Bytes, [1], TensorForm.Raw, body)],
        Outputs = [],
        BinaryOutputs = true,
    };

    private static long? HeaderLength(StringValues header)
    {
        if (header.Count == 0)
            return null;
        return header.Count == 1
            && long.TryParse(header[0], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
            ? length
            : throw new ProtocolException(
                $"The header {InferResponse.HeaderLength} must be one whole number, the bytes of the JSON part.");
    }
}
