using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// The layers that networks are written in: each appends to the graph and binds its weights by the canonical name.
/// Output channels are the weights' own.
/// </summary>
/// <param name="graph">The graph that the layers are appended to.</param>
/// <param name="weights">Where weights come from.</param>
/// <param name="spec">For padding style and folded batch norms.</param>
/// <param name="epsilon">What the batch norms of this part of the network add to the variance.</param>
internal sealed class Layers(GraphBuilder graph, IWeightBinder weights, NetworkSpec spec, double epsilon)
{
    public GraphBuilder Graph => graph;

    /// <summary>Convolution, batch norm, activation.</summary>
    /// <param name="x">The value that is convolved.</param>
    /// <param name="layer">The layer's canonical name, by which its weights are found.</param>
    /// <param name="kernel">The height and width of the window.</param>
    /// <param name="activation">The function that is applied last.</param>
    /// <param name="stride">The number of input pixels per output pixel, on both axes.</param>
    /// <param name="dilation">
    /// The number of input pixels between the window's taps (the atrous rate), on both axes.
    /// </param>
    /// <param name="groups">Groups of channels that are convolved apart; 1 for a dense convolution.</param>
    /// <param name="padding">The zeros around the input; null for the network's padding style.</param>
    /// <param name="norm">A batch norm follows (unless the file has them folded).</param>
    /// <param name="bias">The convolution has a bias of its own.</param>
    /// <param name="outputs">The channels that it must make; null for as many as its weights say.</param>
    public Value Convolution(
        Value x, string layer, int kernel, Activation activation, int stride = 1, int dilation = 1, int groups = 1,
        Padding? padding = null, bool norm = true, bool bias = false, int? outputs = null)
    {
        if (spec.BatchNormFolded)
            (norm, bias) = (false, true);
        Weight weight = weights.Kernel(layer, x.Shape.Channels, groups, kernel, kernel, outputs);
        int channels = weight.Shape[0];
        Padding zeros = padding ?? (spec.Padding == PaddingStyle.TensorFlowSame
            ? Padding.Same(x.Shape.Height, x.Shape.Width, kernel, stride, dilation)
            : Padding.Symmetric(dilation * (kernel - 1) / 2));
        var op =
            new Conv2d(weight, null, bias
                ? weights.Bias(layer, channels)
                : null, stride, dilation, zeros, groups, Activation.None);
        Value y = graph.Add(layer, op, x);
        return norm ? Norm(y, layer, activation) : Activate(y, layer, activation);
    }

    /// <summary>A convolution in as many groups as its weights say, whose kernels have one group's channels.</summary>
    public Value Grouped(
        Value x, string layer, int kernel, Activation activation, int stride = 1, int dilation = 1,
        bool norm = true, int? outputs = null) =>
        Convolution(
            x, layer, kernel, activation, stride, dilation, weights.Groups(layer, x.Shape.Channels), norm: norm,
            outputs: outputs);

    /// <summary>A convolution that was trained as a sum of branches; of none where the file has them merged.</summary>
    public Value Merged(
        Value x, string layer, int kernel, BranchSpec branches, Activation activation, int stride = 1,
        int dilation = 1, int groups = 1)
    {
        if (branches.Count == 0)
            return Convolution(x, layer, kernel, activation, stride, dilation, groups, norm: false, bias: true);
        (Weight weight, float[] bias) = weights.Merged(layer, x.Shape.Channels, groups, kernel, branches, epsilon);
        var zeros = Padding.Symmetric(dilation * (kernel - 1) / 2);
        return Activate(
            graph.Add(layer, new Conv2d(weight, null, bias, stride, dilation, zeros, groups, Activation.None), x),
            layer, activation);
    }

    /// <summary>A convolution along the channels of every pixel, which sees zeros beyond them.</summary>
    public Value AlongChannels(Value x, string layer, Activation activation)
    {
        Weight matrix = ConstantWeight.AlongChannels(weights.ChannelWindow(layer), x.Shape.Channels);
        var op = new Conv2d(matrix, null, null, 1, 1, Padding.None, 1, Activation.None);
        return Activate(graph.Add(layer, op, x), layer, activation);
    }

    /// <summary>A convolution of each channel on its own.</summary>
    public Value Depthwise(
        Value x, string layer, int kernel, Activation activation, int stride = 1, int dilation = 1,
        Padding? padding = null, bool norm = true, bool bias = false) =>
        Convolution(x, layer, kernel, activation, stride, dilation, x.Shape.Channels, padding, norm, bias);

    /// <summary>A linear layer of each pixel: a 1x1 convolution with a bias and no norm.</summary>
    /// <param name="x">The value whose pixels are tokens.</param>
    /// <param name="layer">The layer's canonical name, by which its weights are found.</param>
    /// <param name="outputs">Output channels; null where the weights decide.</param>
    /// <param name="activation">The function that is applied last.</param>
    public Value Linear(Value x, string layer, int? outputs = null, Activation activation = default) =>
        Convolution(x, layer, 1, activation, norm: false, bias: true, outputs: outputs);

    /// <summary>
    /// A 3x3 convolution in the given style; the separable ones are two layers, ".depthwise" and ".pointwise".
    /// </summary>
    public Value Convolution3x3(
        Value x, string layer, ConvolutionStyle style, Activation activation, int dilation = 1, bool bias = false)
    {
        if (style == ConvolutionStyle.Dense)
            return Convolution(x, layer, 3, activation, dilation: dilation, bias: bias);
        return Separable(x, layer, 3, style == ConvolutionStyle.SeparableNormed, activation, dilation);
    }

    /// <summary>A depthwise convolution and a 1x1 convolution: the layers ".depthwise" and ".pointwise".</summary>
    /// <param name="x">The value that is convolved.</param>
    /// <param name="layer">The canonical name of both, to which ".depthwise" and ".pointwise" are added.</param>
    /// <param name="kernel">The height and width of the depthwise window.</param>
    /// <param name="normed">Batch norm and activation between the two as well.</param>
    /// <param name="activation">The function that is applied last.</param>
    /// <param name="dilation">
    /// The number of input pixels between the depthwise window's taps (the atrous rate), on both axes.
    /// </param>
    public Value Separable(Value x, string layer, int kernel, bool normed, Activation activation, int dilation = 1)
    {
        x = Depthwise(
            x, layer + ".depthwise", kernel, normed ? activation : Activation.None, dilation: dilation, norm: normed);
        return Convolution(x, layer + ".pointwise", 1, activation);
    }

    /// <summary>A batch norm alone, and its activation.</summary>
    public Value Norm(Value x, string layer, Activation activation)
    {
        (float[] scale, float[] shift) = weights.Norm(layer, x.Shape.Channels, epsilon);
        return Activate(graph.Add(layer + ".bn", new BatchNorm(scale, shift, Activation.None), x), layer, activation);
    }

    /// <summary>A norm over each pixel's channels, or over a whole picture.</summary>
    public Value LayerNorm(Value x, string layer, double addedToVariance, bool wholePicture = false)
    {
        (float[] scale, float[] shift) = weights.LayerNorm(layer, x.Shape.Channels, addedToVariance);
        return graph.Add(layer, new LayerNorm(scale, shift, addedToVariance, wholePicture), x);
    }

    /// <summary>
    /// Global response normalisation, Woo et al. 2023 (arXiv:2301.00808), section 4, with its residual.
    /// </summary>
    public Value ResponseNorm(Value x, string layer)
    {
        const double addedToMean = 1e-6;
        int channels = x.Shape.Channels;
        float[] scale = weights.Vector(layer, "weight", channels), shift = weights.Vector(layer, "bias", channels);
        Value factors = graph.Add($"{layer}.factors", new GlobalResponse(scale, addedToMean), x);
        Value scaled = graph.Add(
            $"{layer}.multiply", new Binary(BinaryKind.Multiply, Activation.None), x, factors);
        var ones = new float[channels];
        Array.Fill(ones, 1);
        return graph.Add(layer, new BatchNorm(ones, shift, Activation.None), scaled);
    }

    /// <summary>A factor for each channel: a block's "gamma".</summary>
    public Value Scaled(Value x, string layer)
    {
        float[] factors = weights.Vector(layer, "gamma", x.Shape.Channels);
        return graph.Add(layer, new BatchNorm(factors, new float[factors.Length], Activation.None), x);
    }

    /// <summary>An activation alone; nothing for none.</summary>
    public Value Activate(Value x, string layer, Activation activation) =>
        activation.Kind == ActivationKind.None ? x : graph.Add(layer + ".activation", new Activate(activation), x);

    /// <summary>activation(a + b).</summary>
    public Value Add(Value a, Value b, string layer, Activation activation) =>
        Activate(
            graph.Add(layer + ".add", new Binary(BinaryKind.Add, Activation.None), a, b), layer + ".add", activation);

    /// <summary>Some of the channels of every pixel.</summary>
    public Value Slice(Value x, string layer, int first, int channels) =>
        graph.Add(layer, new SliceChannels(first, channels), x);

    /// <summary>
    /// The mean over a window in which the zeros around the picture count: a convolution of each channel with a
    /// constant.
    /// </summary>
    public Value MeanWithZeros(Value x, string layer, int kernel, int stride, Padding zeros) => graph.Add(
        layer,
        new Conv2d(
            ConstantWeight.Mean(x.Shape.Channels, kernel), null, null, stride, 1, zeros, x.Shape.Channels,
            Activation.None),
        x);

    /// <summary>Concatenation along the channels.</summary>
    public Value Concat(string layer, params Value[] parts) => graph.Add(layer, new Concat(), parts);
}
