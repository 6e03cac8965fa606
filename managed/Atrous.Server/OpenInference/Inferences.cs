using System.Text.Json;
using Atrous.Hosting;
using Atrous.Server.V1;
using Atrous.Shapes;
using Microsoft.Extensions.Options;

namespace Atrous.Server.OpenInference;

/// <summary>Infer requests of every transport, on their way to a model's queue.</summary>
internal sealed class Inferences(AnswerRoom room, IOptions<AtrousOptions> atrous)
{
    /// <summary>Outlines, their text, and the message that it is sent in.</summary>
    private const int TextCopies = 3;

    /// <summary>The masks of a request. The caller disposes them.</summary>
    /// <param name="model">The model that the request's address names.</param>
    /// <param name="request">The request as it was sent.</param>
    /// <param name="costOf">What the transport's answer with some outputs takes beside the masks.</param>
    /// <param name="cancellationToken">Cancelled when the client is gone.</param>
    /// <exception cref="ProtocolException">The request does not suit the models here.</exception>
    public async Task<InferredMasks> RunAsync(
        IServedModel model, InferRequest request, Func<IReadOnlyList<OutputTensor>, AnswerCost> costOf,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<OutputTensor> outputs = ModelSurface.Outputs(request, model.Info.Classes);
        var wanted = new SegmentRequest
        {
            Confidence = outputs.Any(output => output.Name == ModelSurface.Confidence),
            // As Triton has it, a level that there is not is the last one.
            Priority = (int)Math.Min(request.Priority, model.Batching.PriorityLevels),
            Timeout = request.Timeout,
            Scoring = request.Scoring,
        };
        bool probabilities = outputs.Any(output => output.Name == ModelSurface.Probabilities);
        // The scores of a picture that runs, and those of all that have run.
        AnswerCost cost = costOf(outputs);
        cost = cost with
        {
            HeldPerPixel = cost.HeldPerPixel + (probabilities ? 2 * model.Info.Classes * sizeof(float) : 0),
        };
        var inference = new Inference(model, room, atrous.Value.MaxPixels, cost) { Probabilities = probabilities };
        InferredMasks masks = await inference.RunAsync(request, wanted, cancellationToken);
        return outputs.Any(output => output.Name == ModelSurface.Polygons)
            ? await WithPolygonsAsync(masks, cost, model, wanted, cancellationToken)
            : masks;
    }

    /// <summary>
    /// Adds the outlines. What they take is known when the masks are: who holds one part of the memory and waits for
    /// another could wait for ever, so that the first is given back before.
    /// </summary>
    private async Task<InferredMasks> WithPolygonsAsync(
        InferredMasks masks, AnswerCost cost, IServedModel model, SegmentRequest wanted,
        CancellationToken cancellationToken)
    {
        IDisposable? held = null;
        try
        {
            long outlines = masks.Masks.Sum(mask => ReportSize.Of(SegmentFormat.Polygons, mask, cancellationToken));
            long pixels = masks.Masks.Sum(mask => (long)mask.Height * mask.Width);
            masks.Room.Dispose();
            held = await room.TakeAsync(
                pixels * (cost.HeldPerPixel + sizeof(ushort) + sizeof(float)) + TextCopies * outlines, "outlines",
                model, wanted.Timeout, cancellationToken);
            byte[][] texts = [.. masks.Masks.Select(mask => JsonSerializer.SerializeToUtf8Bytes(
                ClassReport.Of(mask, mask.Palette, runs: null, mask.Regions(new RegionOptions(), cancellationToken)),
                ServerJson.Web.IReadOnlyListClassReport))];
            cost.Check(pixels, [.. texts.Select(text => text.Length)]);
            return masks with { Room = held, Polygons = texts };
        }
        catch
        {
            masks.Dispose();
            held?.Dispose();
            throw;
        }
    }
}
