using Atrous.Graph;
using Atrous.Graph.Passes;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>
/// The definition of correct: every operation as a plain loop that accumulates in double and rounds once, run as the
/// graph says, with no passes and no shared memory. Slow; every other backend is measured against it.
/// </summary>
/// <param name="observer">
/// Called after each node with the value that it made, for layer-by-layer comparison. The tensor is only lent: it may
/// be gone when the call returns. With an observer, runs of one executable from several threads interleave their calls.
/// </param>
internal sealed class ReferenceBackend(Action<Node, Tensor>? observer = null) : IBackend
{
    public string Name => "reference";

    /// <summary>Computes in 8 bits what a graph says how.</summary>
    public bool InBytes { get; init; }

    public IExecutable Compile(NetworkGraph graph) => new ReferenceExecutable(
        InBytes && graph.Quantization is not null
            ? GraphPasses.Apply(graph, [.. GraphPasses.FusionsOfLayers, .. GraphPasses.StorageInBytes])
            : graph,
        observer);

    /// <summary>Does nothing: weights are read when they are needed and kept by nobody.</summary>
    public void Dispose()
    {
    }
}
