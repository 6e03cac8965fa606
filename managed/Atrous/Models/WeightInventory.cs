using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// Stands in for a checkpoint and writes down every tensor that a network asks for, so that all missing and unexpected
/// ones can be told at once. Its kernels have whatever channels are asked for; where outputs are not asked for,
/// <see cref="Width"/>, and a convolution in groups keeps its input's.
/// </summary>
internal sealed class WeightInventory(NameMap names) : IWeightBinder, IWeightSource
{
    // Divisible by the slices that networks cut channels into, and by the heads of attention.
    private const int Width = 120;
    private readonly Dictionary<string, WeightInfo> _weights = [];

    /// <summary>The names asked for.</summary>
    public IReadOnlyCollection<string> Names => _weights.Keys;

    /// <summary>The epsilon of every norm, by the name of its weight.</summary>
    public Dictionary<string, double> Epsilons { get; } = [];

    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    public Weight Kernel(
        string layer, int inputChannels, int groups, int kernelHeight, int kernelWidth, int? outputChannels = null)
    {
        int outputs = outputChannels ?? (groups > 1 ? inputChannels : Width);
        return new Weight(this,
            Note(names[layer].Convolution + ".weight", outputs, inputChannels / groups, kernelHeight, kernelWidth));
    }

    public int Groups(string layer, int inputChannels) => inputChannels;

    public (Weight Kernel, float[] Bias) Merged(
        string layer, int inputChannels, int groups, int kernel, BranchSpec branches, double epsilon) =>
        MergedBranches.Of(this, layer, inputChannels, groups, kernel, branches, epsilon);

    public Weight ChannelWindow(string layer) =>
        new(this, Note(names[layer].Convolution + ".weight", 1, 1, 3));

    public float[] Bias(string layer, int channels)
    {
        Note(names[layer].Convolution + ".bias", channels);
        return new float[channels];
    }

    public (float[] Scale, float[] Shift) Norm(string layer, int channels, double epsilon)
    {
        foreach (string part in (ReadOnlySpan<string>)["weight", "bias", "running_mean", "running_var"])
            Note($"{names[layer].Norm}.{part}", channels);
        Epsilons[names[layer].Norm + ".weight"] = epsilon;
        return (new float[channels], new float[channels]);
    }

    public (float[] Scale, float[] Shift) LayerNorm(string layer, int channels, double epsilon)
    {
        Epsilons[names[layer].Norm + ".weight"] = epsilon;
        return (Vector(layer, "weight", channels), Vector(layer, "bias", channels));
    }

    public float[] Vector(string layer, string part, int channels)
    {
        Note($"{names[layer].Norm}.{part}", channels);
        return new float[channels];
    }

    public void Read(string name, Span<float> destination) => destination.Clear();

    public void Dispose()
    {
    }

    private WeightInfo Note(string name, params int[] shape) =>
        _weights[name] = new WeightInfo(name, DType.Float32, shape);
}
