using System.Globalization;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// Compares a network with what the file says of its layers (<see cref="LayerFacts"/>): the weights of two networks
/// that differ in strides and atrous rates alone look the same.
/// </summary>
internal static class StatedLayers
{
    /// <summary>
    /// The first layer that is another one in the file, as two parts of a sentence; null where all agree, or where the
    /// file does not say.
    /// </summary>
    public static (string Layer, string Stated, string Assumed)? Contradiction(
        ModelDescription description, IWeightSource weights)
    {
        if (weights.Weights.Values.All(weight => weight.Layer is null))
            return null;
        var inventory = new WeightInventory(description.Names);
        var graph = new GraphBuilder();
        Value image = graph.Input(
            "image", new Shape(1, Model.LargestMinimum, Model.LargestMinimum, description.Network.InputChannels));
        NetworkOutputs outputs = Model.Build(description.Network, graph, inventory, image);
        foreach (Node node in graph.Build(outputs.AtInputSize).Nodes)
        {
            if (node.Op is not Conv2d convolution || Facts(convolution.Kernel.Name) is not { } facts)
                continue;
            if (facts.Stride is { } stride && stride != convolution.Stride)
                return (convolution.Kernel.Name, $"stride {stride}", $"stride {convolution.Stride}");
            // A window of one tap has none, whatever the module says.
            bool windowed = convolution.KernelHeight > 1 || convolution.KernelWidth > 1;
            if (windowed && facts.Dilation is { } rate && rate != convolution.Dilation)
                return (convolution.Kernel.Name, $"dilation {rate}", $"dilation {convolution.Dilation}");
        }
        foreach ((string norm, double epsilon) in inventory.Epsilons)
        {
            // Both are written down with a few digits.
            if (Facts(norm)?.Epsilon is { } stated && Math.Abs(stated - epsilon) > 1e-3 * epsilon)
                return (norm, Text(stated), Text(epsilon));
        }
        return null;

        LayerFacts? Facts(string name) => weights.Weights.GetValueOrDefault(name)?.Layer;
    }

    private static string Text(double epsilon) =>
        string.Create(CultureInfo.InvariantCulture, $"an epsilon of {epsilon}");
}
