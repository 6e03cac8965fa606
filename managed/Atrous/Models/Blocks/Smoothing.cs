using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models.Blocks;

/// <summary>Pictures made smaller behind a convolution without a stride, as signal processing would do it.</summary>
internal static class Smoothing
{
    public static Value Build(AntiAliasing kind, Layers layers, Value x, string name, int stride)
    {
        if (kind == AntiAliasing.Mean)
            return stride == 1 ? x : layers.Graph.Add(name, new AveragePool2d(stride, stride, stride), x);
        Padding zeros = Padding.Symmetric(1);
        if (kind == AntiAliasing.Blur)
        {
            x = layers.Graph.Add($"{name}.mirrored", new MirrorPad(1), x);
            zeros = Padding.None;
        }
        int channels = x.Shape.Channels;
        var window = new Conv2d(
            ConstantWeight.Binomial(channels), null, null, stride, 1, zeros, channels, Activation.None);
        return layers.Graph.Add(name, window, x);
    }
}
