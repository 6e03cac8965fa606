using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>
/// Upsampled logits that are only asked for their winner are never made: <see cref="Argmax"/> and
/// <see cref="Confidence"/> interpolate by themselves. At 1024x2048 with 19 classes that saves 159 MB written and read
/// again.
/// </summary>
internal static class FuseUpsampleArgmax
{
    public static NetworkGraph Apply(NetworkGraph graph)
    {
        var readership = new Readership(graph);
        var fused = graph.Nodes
            .Where(node => node.Op is ResizeBilinear && !readership.IsOutput(node.Output))
            .Where(node => readership.Readers(node.Output).All(IsLabelling) && readership.Readers(node.Output).Any())
            .ToDictionary(node => node.Output);

        var nodes = new List<Node>();
        foreach (Node node in graph.Nodes)
        {
            if (fused.ContainsKey(node.Output))
                continue;
            nodes.Add(fused.TryGetValue(node.Inputs[0], out Node? resize)
                ? node with { Op = WithUpsample(node.Op, (ResizeBilinear)resize.Op), Inputs = resize.Inputs }
                : node);
        }
        return graph with { Nodes = nodes };
    }

    private static bool IsLabelling(Node node) => node.Op is Argmax { Upsample: null } or Confidence { Upsample: null };

    private static Op WithUpsample(Op op, ResizeBilinear resize) =>
        op is Argmax ? new Argmax(resize) : new Confidence(resize);
}
