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

    /// <summary>The inputs where the first is no tensor.</summary>
    /// <exception cref="ArgumentException">A tensor is missing, or has not the shape or type of its value.</exception>
    public static void CheckAfterFirst(NetworkGraph graph, ReadOnlySpan<Tensor> others) =>
        Check(graph.Inputs, others, nameof(others), first: 1);

    /// <summary>The outputs alone.</summary>
    /// <exception cref="ArgumentException">A tensor is missing, or has not the shape or type of its value.</exception>
    public static void CheckOutputs(NetworkGraph graph, ReadOnlySpan<Tensor> outputs) =>
        Check(graph.Outputs, outputs, nameof(outputs));

    private static void Check(IReadOnlyList<Value> values, ReadOnlySpan<Tensor> tensors, string which, int first = 0)
    {
        if (tensors.Length != values.Count - first)
            throw new ArgumentException(
                $"The graph has {values.Count - first} {which}, and {tensors.Length} tensors were given.", which);
        for (int i = 0; i < tensors.Length; i++)
        {
            Value value = values[i + first];
            if (tensors[i].Shape != value.Shape || tensors[i].Type != value.Type)
            {
                throw new ArgumentException(
                    $"{value} is {value.Type}; the tensor given for it is {tensors[i].Shape} {tensors[i].Type}.",
                    which);
            }
        }
    }
}
