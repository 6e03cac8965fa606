using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Models;
using Atrous.Tensors;

namespace Atrous.Quantizing;

/// <summary>A network of folded norms and what of it may multiply in 8 bits.</summary>
internal sealed class Quantizable
{
    public Quantizable(Model model)
    {
        Model = model;
        Graph = GraphOf(GraphPasses.FusionsOfLayers);
        Layers = [.. StoreAsUInt8.Candidates(Graph).DistinctBy(node => KernelOf(node).Name)];
        Work = [.. Layers.Select(WorkOf)];
        Kernels = Layers.Select(node => KernelOf(node).Name).ToHashSet(StringComparer.Ordinal);
    }

    public Model Model { get; }

    /// <summary>Its layers for a picture of some usual size.</summary>
    public NetworkGraph Graph { get; }

    /// <summary>The convolutions that may multiply in 8 bits, in the order in which they run.</summary>
    public Node[] Layers { get; }

    /// <summary>About what each takes, in multiply-adds: as long as that many of them.</summary>
    public IReadOnlyList<long> Work { get; }

    /// <summary>The names of their weights.</summary>
    public IReadOnlySet<string> Kernels { get; }

    public static Weight KernelOf(Node node) => ((Conv2d)node.Op).Kernel;

    /// <summary>The values that share a range; makes their histograms.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Group(Calibration calibration) =>
        calibration.Group(GraphOf(GraphPasses.FusionsForExchange));

    /// <summary>Rules for the ranges of what was counted.</summary>
    public RangeChoice Choice(IReadOnlyList<IReadOnlyList<string>> groups, Calibration calibration) => new(
        groups, calibration.Histograms, Graph.Nodes.Select(node => node.Output.Name).ToHashSet());

    /// <summary>All layers in 8 bits, with corrected biases and without ranges.</summary>
    public QuantizationTable Table(Calibration calibration)
    {
        var corrections = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach (Node layer in Layers)
        {
            if (calibration.Statistics.TryGetValue(layer.Inputs[0].Name, out ChannelStatistics? input))
                corrections.Add(KernelOf(layer).Name, BiasCorrection.Of((Conv2d)layer.Op, input.Means));
        }
        return new QuantizationTable(new Dictionary<string, Quantization>(), Kernels) { Corrections = corrections };
    }

    /// <summary>
    /// Multiply-adds, and memory: a number that is read or written takes about as long as thirty. A depthwise
    /// convolution is slow for little else.
    /// </summary>
    private static long WorkOf(Node layer)
    {
        const long number = 30;
        Shape[] inputs = [.. layer.Inputs.Select(input => input.Shape)];
        return layer.Op.MultiplyAdds(inputs) + number * (layer.Output.Shape.Elements + inputs.Sum(x => x.Elements));
    }

    private NetworkGraph GraphOf(IReadOnlyList<GraphPass> fusions)
    {
        int side = Model.SideFrom(513);
        // Every resize, whatever the picture's size: the ranges are for all of them.
        var builder = new GraphBuilder { KeepsResizes = true };
        Value image = builder.Input("image", new Shape(1, side, side, Model.Description.Network.InputChannels));
        return GraphPasses.Apply(builder.Build(Model.Build(builder, image).Logits), fusions);
    }
}
