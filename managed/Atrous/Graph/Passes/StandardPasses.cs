using Atrous.Tensors;

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

    /// <summary>The same for a network that is stored as bfloat16.</summary>
    public static IReadOnlyList<Func<NetworkGraph, NetworkGraph>> AllOfBFloat16 { get; } =
        [.. All.SkipLast(1), StoreAsBFloat16.Apply, All[^1]];

    /// <summary>Those of float32 that change what is computed; the rest is where values lie.</summary>
    public static IReadOnlyList<Func<NetworkGraph, NetworkGraph>> Fusions { get; } = [.. All.SkipLast(1)];

    /// <summary>
    /// Applies them all: the result computes the same values from the same inputs, but for the rounding of bfloat16.
    /// </summary>
    /// <param name="graph">As a model builds it.</param>
    /// <param name="storage"><see cref="DType.Float32"/> or <see cref="DType.BFloat16"/>.</param>
    public static NetworkGraph Apply(NetworkGraph graph, DType storage = DType.Float32) =>
        Apply(graph, storage == DType.BFloat16 ? AllOfBFloat16 : All);

    /// <summary>Applies some passes in their order.</summary>
    public static NetworkGraph Apply(NetworkGraph graph, IEnumerable<Func<NetworkGraph, NetworkGraph>> passes) =>
        passes.Aggregate(graph, (current, pass) => pass(current));
}
