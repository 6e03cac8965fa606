using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Exporting;

/// <summary>What one layer has in the file that it comes from.</summary>
/// <param name="Kernel">Its convolution's kernel; null for a norm alone.</param>
/// <param name="HasBias">The convolution has a bias.</param>
/// <param name="Norm">Its batch norm as scale and shift; null for none.</param>
/// <param name="IsNormFoldable">The norm directly follows this layer's own convolution.</param>
internal sealed record LayerParts(
    Weight? Kernel, bool HasBias, (float[] Scale, float[] Shift)? Norm, bool IsNormFoldable)
{
    /// <summary>The bias of a convolution that is merged from branches, which no file has; null for others.</summary>
    public float[]? Bias { get; init; }

    /// <summary>Vectors beside its norm by their own names: those of a layer norm.</summary>
    public IReadOnlyList<string> Vectors { get; init; } = [];
}

/// <summary>Writes down which weights a network takes, by the layers' canonical names, in forward order.</summary>
internal sealed class LayerInventory : IWeightBinder
{
    private readonly IWeightBinder _weights;
    private readonly OrderedDictionary<string, LayerParts> _layers = new(StringComparer.Ordinal);

    private LayerInventory(IWeightBinder weights) => _weights = weights;

    /// <summary>The layers of a model.</summary>
    public static IReadOnlyDictionary<string, LayerParts> Of(ModelSource source)
    {
        var inventory = new LayerInventory(new WeightBinder(source.Weights, source.Description.Names));
        var builder = new GraphBuilder();
        // Any size that every window fits into; nothing is computed.
        int side = source.Model.SideFrom(source.Model.MinimumSide + 256);
        Value image = builder.Input("image", new Shape(1, side, side, source.Description.Network.InputChannels));
        NetworkGraph graph = builder.Build(Model.Build(source.Description.Network, builder, inventory, image).Logits);
        inventory.FindFoldable(graph);
        return inventory._layers;
    }

    public Weight Kernel(
        string layer, int inputChannels, int groups, int kernelHeight, int kernelWidth, int? outputChannels = null)
    {
        Weight kernel = _weights.Kernel(
            layer, inputChannels, groups, kernelHeight, kernelWidth, outputChannels);
        _layers[layer] = PartsOf(layer) with { Kernel = kernel };
        return kernel;
    }

    public int Groups(string layer, int inputChannels) => _weights.Groups(layer, inputChannels);

    public (Weight Kernel, float[] Bias) Merged(
        string layer, int inputChannels, int groups, int kernel, BranchSpec branches, double epsilon)
    {
        (Weight merged, float[] bias) = _weights.Merged(layer, inputChannels, groups, kernel, branches, epsilon);
        _layers[layer] = PartsOf(layer) with { Kernel = merged, HasBias = true, Bias = bias };
        return (merged, bias);
    }

    public Weight ChannelWindow(string layer)
    {
        Weight window = _weights.ChannelWindow(layer);
        _layers[layer] = PartsOf(layer) with { Kernel = window };
        return window;
    }

    public float[] Bias(string layer, int channels)
    {
        _layers[layer] = PartsOf(layer) with { HasBias = true };
        return _weights.Bias(layer, channels);
    }

    public (float[] Scale, float[] Shift) Norm(string layer, int channels, double epsilon)
    {
        (float[], float[]) norm = _weights.Norm(layer, channels, epsilon);
        _layers[layer] = PartsOf(layer) with { Norm = norm };
        return norm;
    }

    public (float[] Scale, float[] Shift) LayerNorm(string layer, int channels, double epsilon) =>
        (Vector(layer, "weight", channels), Vector(layer, "bias", channels));

    public float[] Vector(string layer, string part, int channels)
    {
        LayerParts parts = PartsOf(layer);
        _layers[layer] = parts with { Vectors = [.. parts.Vectors, part] };
        return _weights.Vector(layer, part, channels);
    }

    private LayerParts PartsOf(string layer) =>
        _layers.GetValueOrDefault(layer) ?? new LayerParts(null, false, null, false);

    private void FindFoldable(NetworkGraph graph)
    {
        IReadOnlyDictionary<Value, Node> makers = graph.Makers();
        var kernels = new Dictionary<float[], Weight>(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is BatchNorm norm && makers.TryGetValue(node.Inputs[0], out Node? maker)
                && maker.Op is Conv2d conv)
                kernels[norm.Scale] = conv.Kernel;
        }
        foreach ((string layer, LayerParts parts) in _layers.ToArray())
        {
            if (parts is { Kernel: not null, Norm: { } norm } && kernels.GetValueOrDefault(norm.Scale) == parts.Kernel)
                _layers[layer] = parts with { IsNormFoldable = true };
        }
    }
}
