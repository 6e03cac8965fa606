using Atrous.Backends;
using Atrous.Backends.Reference;
using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>Runs a graph once and gives its outputs as arrays, with no native memory left.</summary>
public static class Running
{
    /// <summary>What the reference computes, without any pass.</summary>
    public static Array[] Reference(NetworkGraph graph, params float[][] inputs)
    {
        using var backend = new ReferenceBackend();
        return Run(backend, graph, inputs);
    }

    /// <summary>The outputs in order: float[] or, for label maps, ushort[].</summary>
    public static Array[] Run(IBackend backend, NetworkGraph graph, params float[][] inputs)
    {
        using IExecutable executable = backend.Compile(graph);
        return Run(executable, graph, inputs);
    }

    public static Array[] Run(IExecutable executable, NetworkGraph graph, params float[][] inputs)
    {
        Tensor[] given = [.. inputs.Select((values, i) => Layout.TensorOf(graph.Inputs[i].Shape, values))];
        Tensor[] made = [.. graph.Outputs.Select(output => new Tensor(output.Shape, output.Type))];
        try
        {
            executable.Run(given, made);
            return [.. made.Select(
                tensor => tensor.Type == DType.Float32 ? (Array)Layout.Values(tensor) : Layout.Labels(tensor))];
        }
        finally
        {
            foreach (Tensor tensor in given.Concat(made))
                tensor.Dispose();
        }
    }
}
