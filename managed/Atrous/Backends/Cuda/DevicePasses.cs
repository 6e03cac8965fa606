using Atrous.Graph;
using Atrous.Graph.Passes;

namespace Atrous.Backends.Cuda;

/// <summary>The passes of the GPU, in their order. Concatenations are elided later, when the formats are known.</summary>
internal static class DevicePasses
{
    private static readonly Func<NetworkGraph, NetworkGraph>[] All =
    [
        FoldBatchNorm.Apply,
        FuseActivation.Apply,
        FuseResidual.Apply,
        FuseActivation.Apply,
        FuseUpsampleArgmax.Apply,
        FoldImagePooling.Apply,
    ];

    /// <summary>Applies them all: the result computes the same values from the same inputs.</summary>
    public static NetworkGraph Apply(NetworkGraph graph) => All.Aggregate(graph, (current, pass) => pass(current));
}
