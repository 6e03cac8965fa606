using Atrous.Tensors;

namespace Atrous.Graph.Passes;

/// <summary>A rewriting of a graph into one that computes the same outputs from the same inputs.</summary>
/// <param name="Name">The name of the class that does it.</param>
/// <param name="Apply">Makes the new graph; the given one stays as it is.</param>
internal sealed record GraphPass(string Name, Func<NetworkGraph, NetworkGraph> Apply);

/// <summary>
/// Every pass there is, in four lists: fusions, storage in bf16, storage in 8 bits, layout. A backend applies those it
/// wants, list by list and in each list's order; it names the ones that it leaves out.
/// </summary>
internal static class GraphPasses
{
    /// <summary>Fewer nodes that do the same: what changes the operations.</summary>
    public static IReadOnlyList<GraphPass> Fusions { get; } =
    [
        new(nameof(FoldBatchNorm), FoldBatchNorm.Apply),
        new(nameof(FuseActivation), FuseActivation.Apply),
        new(nameof(FuseResidual), FuseResidual.Apply),
        // Once more, for the activations of the sums that have just become convolutions.
        new(nameof(FuseActivation), FuseActivation.Apply),
        new(nameof(FuseUpsampleArgmax), FuseUpsampleArgmax.Apply),
        new(nameof(FuseLabels), FuseLabels.Apply),
        new(nameof(FoldImagePooling), FoldImagePooling.Apply),
    ];

    /// <summary>
    /// In which number format values are stored; only where the backend is asked for another than float32.
    /// </summary>
    public static IReadOnlyList<GraphPass> Storage { get; } = [new(nameof(StoreAsBFloat16), StoreAsBFloat16.Apply)];

    /// <summary>The same for 8 bits, of graphs that say how.</summary>
    public static IReadOnlyList<GraphPass> StorageInBytes { get; } = [new(nameof(StoreAsUInt8), StoreAsUInt8.Apply)];

    /// <summary>
    /// Where values lie, and which of them never reach memory: after this a graph is not rewritten any more.
    /// </summary>
    public static IReadOnlyList<GraphPass> Layout { get; } =
    [
        new(nameof(ElideConcat), ElideConcat.Apply),
        new(nameof(FuseSeparable), FuseSeparable.Apply),
    ];

    /// <summary>
    /// The fusions after which every value that is left was there before: what can be compared layer by layer.
    /// </summary>
    public static IReadOnlyList<GraphPass> FusionsOfLayers { get; } = Without(Fusions, nameof(FoldImagePooling));

    /// <summary>
    /// The fusions that leave operations which every runtime has in 8 bits: a convolution or a sum, rounded at its end.
    /// Their values are those of <see cref="FusionsOfLayers"/> and some between: what a sum or a curved activation is
    /// computed from.
    /// </summary>
    public static IReadOnlyList<GraphPass> FusionsForExchange { get; } =
    [
        new(nameof(FoldBatchNorm), FoldBatchNorm.Apply),
        new(nameof(FuseActivation), FuseActivation.ApplyToLimits),
    ];

    /// <summary>A list without one of its passes.</summary>
    /// <exception cref="ArgumentException">The list has no such pass, so that leaving it out says nothing.</exception>
    public static IReadOnlyList<GraphPass> Without(IReadOnlyList<GraphPass> passes, string name) =>
        passes.Any(pass => pass.Name == name)
            ? [.. passes.Where(pass => pass.Name != name)]
            : throw new ArgumentException($"There is no pass {name} in the list.", nameof(name));

    /// <summary>Applies some passes in their order.</summary>
    public static NetworkGraph Apply(NetworkGraph graph, IEnumerable<GraphPass> passes) =>
        passes.Aggregate(graph, (current, pass) => pass.Apply(current));

    /// <summary>Applies what a processor wants: fusions, the storage that was asked for, the layout.</summary>
    /// <param name="graph">The network as a model builds it.</param>
    /// <param name="storage">
    /// What values are stored in: <see cref="DType.Float32"/>, <see cref="DType.BFloat16"/>, or
    /// <see cref="DType.UInt8"/> where the graph says what their elements stand for.
    /// </param>
    /// <returns>A graph of the same values, but for the rounding of the storage.</returns>
    public static NetworkGraph ApplyAll(NetworkGraph graph, DType storage = DType.Float32) => Apply(
        graph,
        storage switch
        {
            // Of fewer bits the projection without the pooled branch would be rounded before that is added.
            DType.BFloat16 => [.. FusionsOfLayers, .. Storage, .. Layout],
            DType.UInt8 when graph.Quantization is not null => [.. FusionsOfLayers, .. StorageInBytes, .. Layout],
            _ => [.. Fusions, .. Layout],
        });
}
