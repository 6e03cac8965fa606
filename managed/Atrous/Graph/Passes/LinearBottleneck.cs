using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>
/// Linear bottlenecks (Sandler et al. 2018, arXiv:1801.04381, section 3.2): through their few channels all later layers
/// see the picture, and each block's rounding is summed into them.
/// </summary>
internal static class LinearBottleneck
{
    /// <summary>
    /// Whether a node makes one: what was widened for a depthwise convolution, back in fewer channels and without an
    /// activation.
    /// </summary>
    public static bool Is(Node node, IReadOnlyDictionary<Value, Node> makers) =>
        node.Op is Conv2d { KernelHeight: 1, KernelWidth: 1, Groups: 1, Activation.Kind: ActivationKind.None }
        && node.Output.Shape.Channels < node.Inputs[0].Shape.Channels
        && IsFromDepthwise(node.Inputs[0], makers);

    /// <summary>Made by a depthwise convolution; perhaps weighted by squeeze and excitation.</summary>
    private static bool IsFromDepthwise(Value value, IReadOnlyDictionary<Value, Node> makers) =>
        makers.TryGetValue(value, out Node? maker) && maker.Op switch
        {
            Conv2d op => op.Groups > 1 && op.Groups == op.OutChannels,
            Binary { Kind: BinaryKind.Multiply } => maker.Inputs.Any(input => IsFromDepthwise(input, makers)),
            _ => false,
        };
}
