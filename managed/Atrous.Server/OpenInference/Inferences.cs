using Atrous.Hosting;
using Microsoft.Extensions.Options;

namespace Atrous.Server.OpenInference;

/// <summary>Infer requests of every transport, on their way to a model's queue.</summary>
internal sealed class Inferences(AnswerRoom room, IOptions<AtrousOptions> atrous)
{
    /// <summary>The masks of a request. The caller disposes them.</summary>
    /// <param name="model">The model that the request's address names.</param>
    /// <param name="request">The request as it was sent.</param>
    /// <param name="heldPerPixel">Bytes that the transport's answer keeps in memory beside the masks.</param>
    /// <param name="cancellationToken">Cancelled when the client is gone.</param>
    /// <exception cref="ProtocolException">The request does not suit the models here.</exception>
    public Task<InferredMasks> RunAsync(
        IServedModel model, InferRequest request, Func<IReadOnlyList<OutputTensor>, int> heldPerPixel,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<OutputTensor> outputs = ModelSurface.Outputs(request, model.Info.Classes);
        var wanted = new SegmentRequest
        {
            Confidence = outputs.Any(output => output.Name == ModelSurface.Confidence),
            // As Triton has it, a level that there is not is the last one.
            Priority = (int)Math.Min(request.Priority, model.Batching.PriorityLevels),
            Timeout = request.Timeout,
        };
        var inference = new Inference(model, room, atrous.Value.MaxPixels, heldPerPixel(outputs));
        return inference.RunAsync(request, wanted, cancellationToken);
    }
}
