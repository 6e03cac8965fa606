using Atrous.Graph;

namespace Atrous.Models.Blocks;

/// <summary>
/// Selective kernels, Li et al. 2019 (arXiv:1903.06586), as timm has them: two 3x3 convolutions, the second of twice
/// the reach, on half of the channels each (or both on all). Layers: .path0, .path1, .squeeze, .select.
/// </summary>
internal static class SelectiveKernels
{
    /// <summary>Appends it.</summary>
    /// <param name="layers">What layers are appended by.</param>
    /// <param name="x">The value that is convolved.</param>
    /// <param name="name">The canonical name of all of it.</param>
    /// <param name="activation">The function after every convolution.</param>
    /// <param name="stride">The stride of both convolutions.</param>
    /// <param name="dilations">The dilation of each convolution.</param>
    /// <param name="split">Each convolution reads half of the channels.</param>
    public static Value Build(
        Layers layers, Value x, string name, Activation activation, int stride, (int First, int Second) dilations,
        bool split)
    {
        int half = x.Shape.Channels / 2;
        Value first = split ? layers.Slice(x, $"{name}.half0", 0, half) : x;
        Value second = split ? layers.Slice(x, $"{name}.half1", half, half) : x;
        Value pair = layers.Concat(
            $"{name}.paths",
            layers.Grouped(first, $"{name}.path0", 3, activation, stride, dilations.First),
            layers.Grouped(second, $"{name}.path1", 3, activation, stride, dilations.Second));
        return SliceAttention.Build(layers, pair, 2, name, mean =>
        {
            Value narrow = layers.Convolution(mean, $"{name}.squeeze", 1, activation);
            return layers.Convolution(
                narrow, $"{name}.select", 1, Activation.None, norm: false, outputs: pair.Shape.Channels);
        });
    }
}
