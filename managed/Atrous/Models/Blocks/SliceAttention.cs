using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Models.Blocks;

/// <summary>
/// Values of the same shape, mixed channel by channel in shares that follow from the means of their sum (Li et al.
/// 2019, arXiv:1903.06586, section 3.1; Zhang et al. 2020, arXiv:2004.08955, section 3.1). The shares are a softmax of
/// one score a value; a value alone has a gate, the sigmoid of its score.
/// </summary>
internal static class SliceAttention
{
    /// <summary>Appends it.</summary>
    /// <param name="layers">What layers are appended by.</param>
    /// <param name="values">All values, one's channels after the other's.</param>
    /// <param name="count">The number of values.</param>
    /// <param name="name">The canonical name of all of it.</param>
    /// <param name="score">From the channels' means to a score a channel of every value, in the values' order.</param>
    public static Value Build(Layers layers, Value values, int count, string name, Func<Value, Value> score)
    {
        int channels = values.Shape.Channels / count;
        Value mean = layers.Graph.Add($"{name}.mean", new GlobalAveragePool(), values);
        Value scores = score(Sum(mean, $"{name}.squeezed"));
        Value shares = layers.Graph.Add(
            $"{name}.shares",
            count == 1 ? new Activate(Activation.Sigmoid) : new Softmax { Slices = count }, scores);
        return Sum(
            layers.Graph.Add(
                $"{name}.multiply", new Binary(BinaryKind.Multiply, Activation.None), values, shares),
            name);

        Value Part(Value value, string sum, int index) =>
            count == 1 ? value : layers.Slice(value, $"{sum}.part{index}", index * channels, channels);

        Value Sum(Value value, string sum)
        {
            Value total = Part(value, sum, 0);
            for (int i = 1; i < count; i++)
            {
                total = layers.Add(
                    total, Part(value, sum, i), i == count - 1 ? sum : $"{sum}.sum{i}", Activation.None);
            }
            return total;
        }
    }
}
