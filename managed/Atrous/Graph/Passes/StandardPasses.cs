namespace Atrous.Graph.Passes;

/// <summary>The passes that every fast backend wants, in their order.</summary>
public static class StandardPasses
{
    public static IReadOnlyList<Func<NetworkGraph, NetworkGraph>> All { get; } =
    [
        FoldBatchNorm.Apply,
        FuseActivation.Apply,
        FuseResidual.Apply,
        // Once more, for the activations of the sums that have just become convolutions.
        FuseActivation.Apply,
        FuseUpsampleArgmax.Apply,
        ElideConcat.Apply,
    ];

    /// <summary>Applies them all: the result computes the same values from the same inputs.</summary>
    public static NetworkGraph Apply(NetworkGraph graph) => All.Aggregate(graph, (current, pass) => pass(current));
}
