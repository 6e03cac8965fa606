using System.Collections.Concurrent;
using System.Globalization;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>Where layers get their weights, by canonical name.</summary>
internal interface IWeightBinder
{
    /// <summary>
    /// The convolution kernel of a layer, OIHW, with so many outputs where that is known; the matrix of a linear layer
    /// is one of 1x1.
    /// </summary>
    /// <exception cref="ModelException">There is no such tensor, or it has another shape.</exception>
    Weight Kernel(
        string layer, int inputChannels, int groups, int kernelHeight, int kernelWidth, int? outputChannels = null);

    /// <summary>The groups of a layer's convolution: its kernel has the channels of one.</summary>
    int Groups(string layer, int inputChannels);

    /// <summary>The kernel and the bias that a sum of branches is equal to.</summary>
    (Weight Kernel, float[] Bias) Merged(
        string layer, int inputChannels, int groups, int kernel, BranchSpec branches, double epsilon);

    /// <summary>The window of a convolution along the channels: [1, 1, taps], an odd number of them.</summary>
    Weight ChannelWindow(string layer);

    /// <summary>The bias of a layer's convolution.</summary>
    float[] Bias(string layer, int channels);

    /// <summary>
    /// The batch norm of a layer as one multiply-add per channel: scale = gamma / sqrt(variance + epsilon),
    /// shift = beta - mean * scale (Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 2).
    /// </summary>
    (float[] Scale, float[] Shift) Norm(string layer, int channels, double epsilon);

    /// <summary>The factors and terms of a layer norm.</summary>
    (float[] Scale, float[] Shift) LayerNorm(string layer, int channels, double epsilon);

    /// <summary>A vector by its own name: "gamma" of a block.</summary>
    float[] Vector(string layer, string part, int channels);
}

/// <summary>
/// Finds weights in a checkpoint and remembers them, so that graphs of different shapes share one object per weight.
/// Safe to use from many threads.
/// </summary>
internal sealed class WeightBinder(IWeightSource source, NameMap names) : IWeightBinder
{
    private readonly ConcurrentDictionary<string, Weight> _kernels = new();
    private readonly ConcurrentDictionary<string, float[]> _vectors = new();
    private readonly ConcurrentDictionary<string, Held<(Weight Kernel, float[] Bias)>> _merged = new();
    private readonly ConcurrentDictionary<NormKey, Held<(float[] Scale, float[] Shift)>> _norms = new();

    private sealed record NormKey(string Norm, double Epsilon);

    /// <summary>
    /// Structs in a class: a dictionary of classes is compiled ahead, one of structs when it is made (decision 28).
    /// </summary>
    private sealed record Held<T>(T Values);

    /// <summary>How messages call the file.</summary>
    public string Title => source.Title;

    public Weight Kernel(
        string layer, int inputChannels, int groups, int kernelHeight, int kernelWidth, int? outputChannels = null)
    {
        string name = names[layer].Convolution + ".weight";
        Weight weight = _kernels.GetOrAdd(name, n => new Weight(source, AsKernel(Find(n, layer))));
        IReadOnlyList<int> shape = weight.Shape;
        // A depthwise kernel is [C, 1, h, w]; it must have as many outputs as the layer has inputs.
        bool fits = shape.Count == 4 && shape[1] * groups == inputChannels && shape[0] > 0 && shape[0] % groups == 0
            && shape[2] == kernelHeight && shape[3] == kernelWidth && (outputChannels ?? shape[0]) == shape[0];
        if (!fits)
        {
            throw new ModelException(
                $"{source.Title}: the tensor '{name}' has the shape [{string.Join(", ", shape)}]; this network needs " +
                $"[{outputChannels?.ToString(CultureInfo.InvariantCulture) ?? "*"}, {inputChannels / groups}, " +
                $"{kernelHeight}, {kernelWidth}]. Is it a checkpoint of another network?")
            {
                Remedy = Remedy.DescribeModel,
            };
        }
        return weight;
    }

    public int Groups(string layer, int inputChannels)
    {
        string name = names[layer].Convolution + ".weight";
        // A kernel that fits no number of groups is told by its shape, where it is asked for.
        return Find(name, layer).Shape is [_, > 0 and var channels, ..] && inputChannels % channels == 0
            ? inputChannels / channels
            : 1;
    }

    public (Weight Kernel, float[] Bias) Merged(
        string layer, int inputChannels, int groups, int kernel, BranchSpec branches, double epsilon) =>
        _merged.GetOrAdd(layer, _ => new(
            MergedBranches.Of(this, layer, inputChannels, groups, kernel, branches, epsilon))).Values;

    public Weight ChannelWindow(string layer)
    {
        string name = names[layer].Convolution + ".weight";
        Weight window = _kernels.GetOrAdd(name, n => new Weight(source, Find(n, layer)));
        return window.Shape is [1, 1, var taps] && taps % 2 == 1
            ? window
            : throw new ModelException(
                $"{source.Title}: the tensor '{name}' has the shape [{string.Join(", ", window.Shape)}]; this network "
                + "needs [1, 1, n], an odd number of taps along the channels.");
    }

    public float[] Bias(string layer, int channels) => Find(names[layer].Convolution + ".bias", layer, channels);

    public (float[] Scale, float[] Shift) Norm(string layer, int channels, double epsilon)
    {
        string norm = names[layer].Norm;
        return _norms.GetOrAdd(new(norm, epsilon), _ =>
        {
            float[] gamma = Find(norm + ".weight", layer, channels), beta = Find(norm + ".bias", layer, channels);
            float[] mean = Find(norm + ".running_mean", layer, channels);
            float[] variance = Find(norm + ".running_var", layer, channels);
            var scale = new float[channels];
            var shift = new float[channels];
            for (int c = 0; c < channels; c++)
            {
                double deviation = Math.Sqrt(variance[c] + epsilon);
                if (!(deviation > 0))
                {
                    throw new ModelException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{source.Title}: the tensor '{norm}.running_var' holds {variance[c]}, which is no variance; "
                        + $"the file is damaged, or not of a batch norm."));
                }
                double factor = gamma[c] / deviation;
                scale[c] = (float)factor;
                shift[c] = (float)(beta[c] - mean[c] * factor);
            }
            return new((scale, shift));
        }).Values;
    }

    public (float[] Scale, float[] Shift) LayerNorm(string layer, int channels, double epsilon) =>
        (Vector(layer, "weight", channels), Vector(layer, "bias", channels));

    public float[] Vector(string layer, string part, int channels) =>
        Find($"{names[layer].Norm}.{part}", layer, channels);

    private static WeightInfo AsKernel(WeightInfo info) =>
        info.Shape is [int outputs, int inputs] ? info with { Shape = [outputs, inputs, 1, 1] } : info;

    private float[] Find(string name, string layer, int channels)
    {
        float[] vector = _vectors.GetOrAdd(name, n => new Weight(source, Find(n, layer)).ToArray());
        return vector.Length == channels
            ? vector
            : throw new ModelException(
                $"{source.Title}: the tensor '{name}' has {vector.Length} elements; its layer has {channels} " +
                "channels.");
    }

    private WeightInfo Find(string name, string layer)
    {
        if (!source.Weights.TryGetValue(name, out WeightInfo? info))
            throw new ModelException($"{source.Title} has no tensor '{name}' (the layer {layer}).");
        // What somebody quantised has its scale elsewhere, under names that nobody else knows.
        return info.Type.IsFloatingPoint()
            ? info
            : throw new ModelException(
                $"{source.Title}: the tensor '{name}' is stored as {info.Type.ToString().ToLowerInvariant()}, and a " +
                "layer's weights are no whole numbers; if the network was quantised, save it before that.");
    }
}
