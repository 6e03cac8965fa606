using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends;

/// <summary>Checks the tensors of a run against the graph's inputs and outputs.</summary>
internal static class Signature
{
    /// <exception cref="ArgumentException">A tensor is missing, or has not the shape or type of its value.</exception>
    public static void Check(NetworkGraph graph, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        Check(graph.Inputs, inputs, nameof(inputs));
        Check(graph.Outputs, outputs, nameof(outputs));
    }

    private static void Check(IReadOnlyList<Value> values, ReadOnlySpan<Tensor> tensors, string which)
    {
        if (tensors.Length != values.Count)
            throw new ArgumentException($"The graph has {values.Count} {which}, and {tensors.Length} tensors were given.", which);
        for (int i = 0; i < tensors.Length; i++)
        {
            if (tensors[i].Shape != values[i].Shape || tensors[i].Type != values[i].Type)
            {
                throw new ArgumentException(
                    $"{values[i]} is {values[i].Type}; the tensor given for it is {tensors[i].Shape} {tensors[i].Type}.", which);
            }
        }
    }
}
