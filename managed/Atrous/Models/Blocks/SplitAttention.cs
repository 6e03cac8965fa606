using Atrous.Graph;

namespace Atrous.Models.Blocks;

/// <summary>
/// ResNeSt's window with two splits, Zhang et al. 2020 (arXiv:2004.08955), figure 2. A stride is that of a mean over
/// 3x3 behind it. Layers: .splits (in groups, twice the channels), .squeeze, .select.
/// </summary>
internal static class SplitAttention
{
    public static Value Build(Layers layers, Value x, string name, Activation activation, int stride, int dilation)
    {
        int channels = x.Shape.Channels;
        Value splits = layers.Grouped(
            x, $"{name}.splits", 3, activation, dilation: dilation, outputs: 2 * channels);
        Value y = TwoWayAttention.Build(layers, splits, name, mean =>
        {
            Value narrow = layers.Convolution(mean, $"{name}.squeeze", 1, activation, bias: true);
            return layers.Convolution(
                narrow, $"{name}.select", 1, Activation.None, norm: false, bias: true, outputs: 2 * channels);
        });
        return stride == 1 ? y : layers.MeanWithZeros(y, $"{name}.pool", 3, stride, Padding.Symmetric(1));
    }
}
