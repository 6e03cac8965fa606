using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Deep residual networks, He et al. 2015 (arXiv:1512.03385), dilated as in Chen et al. 2017 (arXiv:1706.05587).
/// Layers: stem.conv1.., stage{1..4}.{block}.conv{1..3}, .shortcut.
/// </summary>
internal static class ResNet
{
    public static Features Build(ResNetSpec spec, Layers layers, Value image) =>
        Stages(spec, layers, Stem(spec, layers, image));

    /// <summary>The residual stages alone; low-level features are the first one's.</summary>
    public static Features Stages(ResNetSpec spec, Layers layers, Value x)
    {
        Value? lowLevel = null;
        for (int stage = 0; stage < spec.Blocks.Count; stage++)
        {
            DilationPlan.Stage plan = spec.Stages[stage];
            for (int block = 0; block < spec.Blocks[stage]; block++)
            {
                int grid = stage == spec.Blocks.Count - 1 && spec.MultiGrid is { } grids
                    ? grids[block % grids.Count]
                    : 1;
                int stride = block == 0 ? plan.Stride : 1;
                int dilation = (block == 0 ? plan.FirstDilation : plan.Dilation) * grid;
                x = Residual(spec, layers, x, $"backbone.stage{stage + 1}.{block}", stride, dilation, block == 0);
            }
            if (stage == 0)
                lowLevel = x;
        }
        return new Features(lowLevel, x);
    }

    private static Value Stem(ResNetSpec spec, Layers layers, Value x)
    {
        if (spec.StemConvolutions == 1)
        {
            x = layers.Convolution(x, "backbone.stem.conv1", 7, spec.Activation, stride: 2);
        }
        else
        {
            for (int i = 1; i <= spec.StemConvolutions; i++)
                x = layers.Convolution(x, $"backbone.stem.conv{i}", 3, spec.Activation, stride: i == 1 ? 2 : 1);
        }
        return layers.Graph.Add("backbone.stem.pool", new MaxPool2d(3, 2, 1, spec.CeilModePool), x);
    }

    private static Value Residual(
        ResNetSpec spec, Layers layers, Value x, string name, int stride, int dilation, bool first)
    {
        Activation act = spec.Activation, none = Activation.None;
        // A basic block's first stage keeps shape, so it has no projection there: the same width in and out, stride 1.
        bool projects = first
            && (spec.Bottleneck || stride > 1 || !name.StartsWith("backbone.stage1", StringComparison.Ordinal));
        Value y;
        if (spec.Bottleneck)
        {
            (int reduceStride, int windowStride) = spec.StrideInFirstConvolution ? (stride, 1) : (1, stride);
            y = layers.Convolution(x, $"{name}.conv1", 1, act, reduceStride);
            y = layers.Convolution(y, $"{name}.conv2", 3, act, windowStride, dilation);
            y = layers.Convolution(y, $"{name}.conv3", 1, none);
        }
        else
        {
            y = layers.Convolution(x, $"{name}.conv1", 3, act, stride, dilation);
            y = layers.Convolution(y, $"{name}.conv2", 3, none, dilation: dilation);
        }
        Value skip = projects ? layers.Convolution(x, $"{name}.shortcut", 1, none, stride) : x;
        return layers.Add(y, skip, name, act);
    }
}
