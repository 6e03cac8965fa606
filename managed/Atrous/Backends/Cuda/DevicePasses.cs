using Atrous.Graph;
using Atrous.Graph.Passes;

namespace Atrous.Backends.Cuda;

/// <summary>The passes of the GPU. Concatenations are elided later, when the formats are known.</summary>
internal static class DevicePasses
{
    /// <summary>Applies them all: the result computes the same values from the same inputs.</summary>
    public static NetworkGraph Apply(NetworkGraph graph) => FoldImagePooling.Apply(StandardPasses.Apply(graph, StandardPasses.Fusions));
}
