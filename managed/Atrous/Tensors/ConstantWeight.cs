using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Atrous.Tensors;

/// <summary>Kernels that no file has: part of a network's definition, or computed from others.</summary>
internal sealed class ConstantWeight : IWeightSource
{
    private static readonly ConcurrentDictionary<(int Channels, int Size), Weight> Means = new();
    private static readonly ConcurrentDictionary<int, Weight> Binomials = new();
    private static readonly ConditionalWeakTable<Weight, ConcurrentDictionary<int, Weight>> Matrices = [];
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

    /// <summary>
    /// Of each channel on its own, the mean of a square window; of one pixel it is that pixel. The same object for the
    /// same size.
    /// </summary>
    public static Weight Mean(int channels, int size) => Means.GetOrAdd((channels, size), key =>
    {
        var values = new float[key.Channels * key.Size * key.Size];
        Array.Fill(values, 1f / (key.Size * key.Size));
        return Of("mean", [key.Channels, 1, key.Size, key.Size], () => values);
    });

    /// <summary>
    /// Of each channel on its own, the binomial window of 3x3: 1 2 1 times itself, over 16. The same object for the
    /// same channels.
    /// </summary>
    public static Weight Binomial(int channels) => Binomials.GetOrAdd(channels, count =>
    {
        const int area = 9;
        float[] window = [1, 2, 1, 2, 4, 2, 1, 2, 1];
        return Of(
            "binomial", [count, 1, 3, 3],
            () => [.. Enumerable.Range(0, count * area).Select(i => window[i % area] / 16)]);
    });

    /// <summary>
    /// A window along the channels, with zeros beyond them, as the 1x1 kernel that it is equal to. The same object for
    /// the same window and channels.
    /// </summary>
    public static Weight AlongChannels(Weight window, int channels) =>
        Matrices.GetOrCreateValue(window).GetOrAdd(
            channels, count => Of("window", [count, count, 1, 1], () => Matrix(window.ToArray(), count)));

    public void Read(string name, Span<float> destination) => _values().CopyTo(destination);

    public void Dispose()
    {
        // There is no file.
    }

    private static float[] Matrix(float[] taps, int channels)
    {
        var matrix = new float[channels * channels];
        for (int output = 0; output < channels; output++)
        {
            for (int tap = 0; tap < taps.Length; tap++)
            {
                int input = output + tap - taps.Length / 2;
                if (input >= 0 && input < channels)
                    matrix[output * channels + input] = taps[tap];
            }
        }
        return matrix;
    }
}
