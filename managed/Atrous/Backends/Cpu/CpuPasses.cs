using Atrous.Graph;
using Atrous.Graph.Passes;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>The passes of the CPU.</summary>
internal static class CpuPasses
{
    /// <summary>
    /// Applies them all: the result computes the same values from the same inputs, but for the rounding of bfloat16.
    /// </summary>
    /// <param name="graph">As a model builds it.</param>
    /// <param name="storage"><see cref="DType.Float32"/> or <see cref="DType.BFloat16"/>.</param>
    public static NetworkGraph Apply(NetworkGraph graph, DType storage) => FuseSeparable.Apply(
        // Of bfloat16 the projection without the pooled branch would be rounded before that is added.
        storage == DType.BFloat16
            ? StandardPasses.Apply(graph, storage)
            : ElideConcat.Apply(FoldImagePooling.Apply(StandardPasses.Apply(graph, StandardPasses.Fusions))));
}
