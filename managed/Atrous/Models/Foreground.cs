using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// Networks of one output channel: its logit z says foreground, and sigmoid(z) is the probability. That is the softmax
/// of the two logits 0 (background) and z, so everything that knows classes knows these: labels, confidence,
/// probabilities, windows, scales, the CRF.
/// </summary>
internal static class Foreground
{
    /// <summary>1x1, from one channel to two: 0 and the channel itself, exact in every precision.</summary>
    private static readonly Weight Kernel = ConstantWeight.Of("background", [2, 1, 1, 1], () => [0, 1]);

    /// <summary>The outputs with a channel of zeros, the background, before the network's own.</summary>
    public static NetworkOutputs WithBackground(GraphBuilder graph, NetworkOutputs outputs)
    {
        Value logits = WithBackground(graph, outputs.Logits);
        return outputs with
        {
            Logits = logits,
            AtInputSize =
                outputs.AtInputSize == outputs.Logits ? logits : WithBackground(graph, outputs.AtInputSize),
        };
    }

    private static Value WithBackground(GraphBuilder graph, Value logits) => graph.Add(
        $"{logits.Name}.background", new Conv2d(Kernel, null, null, 1, 1, Padding.None, 1, Activation.None), logits);
}
