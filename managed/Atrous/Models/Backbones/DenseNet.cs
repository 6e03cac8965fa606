using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Densely connected networks, Huang et al. 2016 (arXiv:1608.06993), with pre-activated bottleneck layers. Layers:
/// stem, block{1..4}.{layer}.norm, .conv1, .conv2, transition{1..4}.norm, .conv, norm.
/// </summary>
internal static class DenseNet
{
    public static Features Build(DenseNetSpec spec, Layers layers, Value image)
    {
        Activation act = spec.Activation, none = Activation.None;
        Value x = layers.Convolution(image, "backbone.stem", 7, act, stride: 2);
        x = layers.Graph.Add("backbone.stem.pool", new MaxPool2d(3, 2, 1), x);
        for (int block = 1; block <= spec.Blocks.Count; block++)
        {
            for (int layer = 0; layer < spec.Blocks[block - 1]; layer++)
                x = Layer(spec, layers, x, $"backbone.block{block}.{layer}", spec.Stages[block - 1].Dilation);
            if (block == spec.Blocks.Count && !spec.LastTransition)
                break;
            string transition = $"backbone.transition{block}";
            x = layers.Norm(x, $"{transition}.norm", act);
            x = layers.Convolution(x, $"{transition}.conv", 1, none, norm: false);
            int stride = block < spec.Blocks.Count ? spec.Stages[block].Stride : 1;
            if (stride > 1)
                x = layers.Graph.Add($"{transition}.pool", new AveragePool2d(stride, stride, stride), x);
        }
        x = layers.Norm(x, "backbone.norm", none);
        return new Features(null, layers.Graph.Resize(
            "backbone.upsample", x, x.Shape.Height * spec.Upsampling, x.Shape.Width * spec.Upsampling,
            spec.UpsamplingGrid));
    }

    private static Value Layer(DenseNetSpec spec, Layers layers, Value x, string name, int dilation)
    {
        Value y = layers.Norm(x, $"{name}.norm", spec.Activation);
        y = layers.Convolution(y, $"{name}.conv1", 1, spec.Activation);
        y = layers.Convolution(y, $"{name}.conv2", 3, Activation.None, dilation: dilation, norm: false);
        return layers.Concat($"{name}.concat", x, y);
    }
}
