using Atrous.Backends;
using Atrous.Graph;
using Atrous.Graph.Passes;
using Atrous.Models;
using Atrous.Tensors;

namespace Atrous.Verification;

/// <summary>How far one layer's output is from what it should be.</summary>
/// <param name="Name">The layer's canonical name.</param>
/// <param name="Op">The operation that ends it.</param>
/// <param name="Shape">The shape of the layer's output, NHWC.</param>
/// <param name="Error">All layers before it ran on the same device, so errors add up.</param>
public sealed record LayerVerification(string Name, string Op, Shape Shape, TensorError Error);

/// <summary>Runs one graph on two devices and compares what is inside it.</summary>
internal static class LayerComparison
{
    /// <summary>The budget where nobody asks for another: half a GiB.</summary>
    public const long UsualBudget = 512L << 20;

    /// <summary>
    /// Every layer from the input to the logits, in the order in which they run. The network runs several times where
    /// its layers would not fit into the budget at once.
    /// </summary>
    /// <param name="tested">The device in question, and the model whose weights it holds.</param>
    /// <param name="judge">The device that is trusted, and the same model with its own weights.</param>
    /// <param name="input">The pre-processed picture, float32, NHWC.</param>
    /// <param name="budget">
    /// The number of bytes of the layers that are held at a time, on both devices together.
    /// </param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    public static IEnumerable<LayerVerification> Of(
        (IBackend Backend, Model Model) tested, (IBackend Backend, Model Model) judge, Tensor input,
        long budget, CancellationToken cancellationToken)
    {
        // Each device runs the graph of its own model, whose weights it has packed already.
        (GraphBuilder testedGraph, IReadOnlyList<Node> testedLayers) = Build(tested.Model, input.Shape);
        (GraphBuilder judgeGraph, IReadOnlyList<Node> judgeLayers) = Build(judge.Model, input.Shape);
        int first = 0;
        foreach (Node[] layers in Groups(judgeLayers, budget))
        {
            Tensor[] actual = [], expected = [];
            try
            {
                actual =
                    Run(tested.Backend, Intermediates.Copied(testedGraph, testedLayers.Skip(first).Take(layers.Length)),
                    input, cancellationToken);
                expected = Run(judge.Backend, Intermediates.Copied(judgeGraph, layers), input, cancellationToken);
                first += layers.Length;
                for (int i = 0; i < layers.Length; i++)
                    yield return Compare(layers[i], actual[i], expected[i]);
            }
            finally
            {
                foreach (Tensor tensor in actual.Concat(expected))
                    tensor.Dispose();
            }
        }
    }

    private static (GraphBuilder Graph, IReadOnlyList<Node> Layers) Build(Model model, Shape input)
    {
        var graph = new GraphBuilder();
        NetworkOutputs outputs = model.Build(graph, graph.Input("image", input));
        return (graph, Intermediates.Of(graph.Build(outputs.Logits)));
    }

    /// <summary>Neighbours whose outputs fit into the budget together; at least one a group.</summary>
    private static IEnumerable<Node[]> Groups(IReadOnlyList<Node> layers, long budget)
    {
        var group = new List<Node>();
        long held = 0;
        foreach (Node layer in layers)
        {
            long size = 2 * sizeof(float) * layer.Output.Shape.Elements;
            if (group.Count > 0 && held + size > budget)
            {
                yield return [.. group];
                group.Clear();
                held = 0;
            }
            group.Add(layer);
            held += size;
        }
        yield return [.. group];
    }

    private static LayerVerification Compare(Node layer, Tensor actual, Tensor expected) => new(
        layer.Output.Name, layer.Op.Name, layer.Output.Shape,
        TensorError.Of(actual.Image<float>(0), expected.Image<float>(0)));

    private static Tensor[] Run(
        IBackend backend, NetworkGraph network, Tensor input, CancellationToken cancellationToken)
    {
        using var executable = new CompiledNetwork(backend.Compile(network), network.Outputs);
        return executable.Run(input, null, null, cancellationToken);
    }
}
