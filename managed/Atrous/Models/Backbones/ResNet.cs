using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Models.Blocks;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Deep residual networks, He et al. 2015 (arXiv:1512.03385), dilated as in Chen et al. 2017 (arXiv:1706.05587), and
/// their relatives. Layers: stem.conv1.., stem.pool, stage{1..}.{block}.conv{1..3}, .gate.reduce, .gate.expand,
/// .gate.window, .shortcut, last.
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
            for (int block = 0; block < spec.Blocks[stage]; block++)
                x = Residual(spec, layers, x, new Place(spec, stage, block));
            if (stage == 0)
                lowLevel = x;
        }
        if (spec.LastConvolution)
            x = layers.Convolution(x, "backbone.last", 1, spec.Activation);
        return new Features(lowLevel, x);
    }

    private static Value Stem(ResNetSpec spec, Layers layers, Value x)
    {
        if (spec.SmallStem)
            return layers.Convolution(x, "backbone.stem.conv1", 3, spec.Activation, stride: 2);
        if (spec.StemConvolutions == 1)
        {
            x = layers.Convolution(x, "backbone.stem.conv1", 7, spec.Activation, stride: 2);
        }
        else
        {
            for (int i = 1; i <= spec.StemConvolutions; i++)
                x = layers.Convolution(x, $"backbone.stem.conv{i}", 3, spec.Activation, stride: i == 1 ? 2 : 1);
        }
        const string pool = "backbone.stem.pool";
        if (spec.ConvolvedPool)
            return layers.Convolution(x, pool, 3, spec.Activation, stride: 2);
        return spec.AntiAliasing switch
        {
            AntiAliasing.None => layers.Graph.Add(pool, new MaxPool2d(3, 2, spec.PoolPadding, spec.CeilModePool), x),
            AntiAliasing.Mean => Smoothing.Build(spec.AntiAliasing, layers, x, pool, 2),
            _ => Smoothing.Build(
                spec.AntiAliasing, layers, layers.Graph.Add(pool, new MaxPool2d(3, 1, 1), x), pool + ".smooth", 2),
        };
    }

    private static Value Residual(ResNetSpec spec, Layers layers, Value x, Place at)
    {
        Activation act = spec.Activation, none = Activation.None;
        bool bottleneck = spec.Bottleneck && at.Stage >= spec.BasicStages;
        Value y;
        if (bottleneck)
        {
            (int reduceStride, int windowStride) = spec.StrideInFirstConvolution ? (at.Stride, 1) : (1, at.Stride);
            y = layers.Convolution(x, $"{at.Name}.conv1", 1, act, reduceStride);
            y = Window(spec, layers, y, $"{at.Name}.conv2", windowStride, at);
            if (spec is { Gate: { } inner, GateInside: true })
                y = SqueezeExcite.Build(inner, layers, y, $"{at.Name}.gate");
            y = layers.Convolution(y, $"{at.Name}.conv3", 1, none);
        }
        else
        {
            y = Window(spec, layers, x, $"{at.Name}.conv1", at.Stride, at);
            y = layers.Convolution(
                y, $"{at.Name}.conv2", 3, none, dilation: spec.OnlyFirstDilated ? 1 : at.Dilation);
        }
        if (spec is { Gate: { } gate, GateInside: false })
            y = SqueezeExcite.Build(gate, layers, y, $"{at.Name}.gate");
        if (spec.ChannelGates)
            y = ChannelGate.Build(layers, y, $"{at.Name}.gate");
        // A basic block's first stage keeps shape, so it has no projection there: the same width in and out, stride 1.
        bool projects = at.IsFirst && (bottleneck || at.Stride > 1 || at.Stage > 0);
        return layers.Add(y, projects ? Shortcut(spec, layers, x, at) : x, at.Name, act);
    }

    private static Value Window(ResNetSpec spec, Layers layers, Value x, string name, int stride, Place at)
    {
        Activation act = spec.Activation;
        return spec.Window switch
        {
            ResidualWindow.MultiScale => MultiScaleConvolution.Build(
                layers, x, name, spec.Scales, act, stride, at.WindowDilation, at.IsFirst),
            ResidualWindow.SplitAttention => SplitAttention.Build(spec, layers, x, name, stride, at.WindowDilation),
            ResidualWindow.SelectiveKernels => SelectiveKernels.Build(
                layers, x, name, act, stride, Reaches(spec, at.WindowDilation), spec.SplitsInput),
            _ when spec.AntiAliasing != AntiAliasing.None && (stride > 1 || at.WindowDilation != at.Dilation) =>
                Smoothing.Build(
                    spec.AntiAliasing, layers, layers.Grouped(x, name, 3, act, 1, at.WindowDilation), $"{name}.smooth",
                    stride),
            _ => layers.Grouped(x, name, 3, act, stride, at.WindowDilation),
        };
    }

    private static (int First, int Second) Reaches(ResNetSpec spec, int dilation) =>
        (dilation, spec.EqualReachWhenDilated && dilation > 1 ? dilation : 2 * dilation);

    private static Value Shortcut(ResNetSpec spec, Layers layers, Value x, Place at)
    {
        string name = $"{at.Name}.shortcut";
        int stride = at.Stride;
        if (spec.PooledShortcut)
        {
            if (stride > 1)
                x = layers.Graph.Add($"{name}.pool", new AveragePool2d(stride, stride, stride) { CeilMode = true }, x);
            else if (at.Dilation > 1 && !spec.NoPoolWhenDilated)
                x = layers.MeanWithZeros(x, $"{name}.pool", 2, 1, new Padding(0, 0, 1, 1));
            stride = 1;
        }
        int kernel = at.Stage == 0 ? 1 : spec.ShortcutKernel;
        return layers.Convolution(x, name, kernel, Activation.None, stride, at.WindowDilation);
    }

    /// <summary>Where a block is, and what follows from it.</summary>
    private readonly struct Place
    {
        public Place(ResNetSpec spec, int stage, int block)
        {
            DilationPlan.Stage plan = spec.Stages[stage];
            int grid = stage == spec.Blocks.Count - 1 && spec.MultiGrid is { } grids ? grids[block % grids.Count] : 1;
            (Stage, IsFirst, Name) = (stage, block == 0, $"backbone.stage{stage + 1}.{block}");
            Stride = IsFirst ? plan.Stride : 1;
            Dilation = plan.Dilation * grid;
            WindowDilation = (IsFirst ? plan.FirstDilation : plan.Dilation) * grid;
        }

        public int Stage { get; }

        public bool IsFirst { get; }

        public string Name { get; }

        public int Stride { get; }

        /// <summary>Of the stage.</summary>
        public int Dilation { get; }

        /// <summary>Of the convolution that has the block's stride.</summary>
        public int WindowDilation { get; }
    }
}
