using System.Collections.Concurrent;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>Kernels that no file has: part of a network's definition, or computed from others.</summary>
internal sealed class ConstantWeight : IWeightSource
{
    private static readonly ConcurrentDictionary<(int Channels, int Size), Weight> Means = new();
    private readonly Func<float[]> _values;

    private ConstantWeight(WeightInfo info, Func<float[]> values)
    {
        _values = values;
        Weights = new Dictionary<string, WeightInfo> { [info.Name] = info };
    }

    public IReadOnlyDictionary<string, WeightInfo> Weights { get; }

    /// <summary>A kernel, OIHW, whose values are made whenever they are read.</summary>
    public static Weight Of(string name, int[] shape, Func<float[]> values)
    {
        var info = new WeightInfo(name, DType.Float32, shape);
        return new Weight(new ConstantWeight(info, values), info);
    }

    /// <summary>Of each channel on its own, the mean of a square window. The same object for the same size.</summary>
    public static Weight Mean(int channels, int size) => Means.GetOrAdd((channels, size), key =>
    {
        var values = new float[key.Channels * key.Size * key.Size];
        Array.Fill(values, 1f / (key.Size * key.Size));
        return Of("mean", [key.Channels, 1, key.Size, key.Size], () => values);
    });

    public void Read(string name, Span<float> destination) => _values().CopyTo(destination);

    public void Dispose()
    {
        // There is no file.
    }
}
