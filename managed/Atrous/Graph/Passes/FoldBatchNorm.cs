using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>
/// A batch norm after a convolution becomes the convolution's scale and bias:
/// s (w x + b) + t = (s w) x + (s b + t). The weights themselves stay as the file has them; a backend scales while
/// packing.
/// </summary>
internal static class FoldBatchNorm
{
    public static NetworkGraph Apply(NetworkGraph graph) => Pairs.Merge(graph, Merge);

    private static Op? Merge(Node first, Op second)
    {
        if (first is not { Op: Conv2d { Activation.Kind: ActivationKind.None } conv, Inputs.Count: 1 }
            || second is not BatchNorm norm)
            return null;
        var scale = new float[norm.Scale.Length];
        var bias = new float[norm.Scale.Length];
        for (int c = 0; c < scale.Length; c++)
        {
            double factor = norm.Scale[c];
            scale[c] = (float)(factor * (conv.Scale?[c] ?? 1.0));
            bias[c] = (float)(factor * (conv.Bias?[c] ?? 0.0) + norm.Shift[c]);
        }
        return conv with { Scale = scale, Bias = bias, Activation = norm.Activation };
    }
}
