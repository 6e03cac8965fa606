using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Models.Blocks;

/// <summary>
/// Two values of the same shape, mixed channel by channel in shares that follow from the means of their sum (Li et al.
/// 2019, arXiv:1903.06586, section 3.1). The shares are a softmax of two scores, which is sigmoid(one - other).
/// </summary>
internal static class TwoWayAttention
{
    /// <summary>Appends it.</summary>
    /// <param name="layers">What layers are appended by.</param>
    /// <param name="pair">Both values, one's channels after the other's.</param>
    /// <param name="name">The canonical name of all of it.</param>
    /// <param name="score">From the channels' means to two scores a channel, in the pair's order.</param>
    public static Value Build(Layers layers, Value pair, string name, Func<Value, Value> score)
    {
        int channels = pair.Shape.Channels / 2;
        Value scores = score(Sum(layers.Graph.Add($"{name}.mean", new GlobalAveragePool(), pair), $"{name}.squeezed"));
        var minus = new float[2 * channels];
        Array.Fill(minus, -1);
        Value opposite = layers.Graph.Add(
            $"{name}.opposite", new BatchNorm(minus, new float[2 * channels], Activation.None), scores);
        Value others = layers.Concat(
            $"{name}.others", Part(opposite, $"{name}.opposite1", 1), Part(opposite, $"{name}.opposite0", 0));
        Value shares = layers.Add(scores, others, $"{name}.shares", Activation.Sigmoid);
        Value weighed = layers.Graph.Add(
            $"{name}.multiply", new Binary(BinaryKind.Multiply, Activation.None), pair, shares);
        return Sum(weighed, name);

        Value Part(Value value, string part, int index) => layers.Slice(value, part, index * channels, channels);

        Value Sum(Value value, string sum) => layers.Add(
            Part(value, $"{sum}.part0", 0), Part(value, $"{sum}.part1", 1), sum, Activation.None);
    }
}
