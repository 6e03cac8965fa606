using Atrous.Graph;
using Atrous.Models.Blocks;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), MobileNetV3 (Howard et al. 2019, arXiv:1905.02244), MobileNetV4
/// (Qin et al. 2024, arXiv:2404.10518), MobileNet-EdgeTPU, EfficientNet (Tan and Le 2019, arXiv:1905.11946) and
/// EfficientNetV2 (2021, arXiv:2104.00298): inverted residuals with linear bottlenecks.
/// Layers: stem, block{1..}.start, .expand, .depthwise, .gate.reduce, .gate.expand, .project, .scale and those of
/// <see cref="MultiQueryAttention"/>, last.
/// </summary>
internal static class InvertedResidualNet
{
    private const int StemKernel = 3, StemStride = 2;

    public static Features Build(InvertedResidualSpec spec, Layers layers, Value image)
    {
        int? side = spec.PaddedForSide;
        Padding? padding = NominalPadding(ref side, StemKernel, StemStride, 1);
        if (spec.StemPadding is { } all)
            padding = Padding.Symmetric(all);
        Value x = layers.Convolution(
            image, "backbone.stem", StemKernel, spec.StemActivation ?? spec.Activation, StemStride, padding: padding);
        Value? lowLevel = null;
        for (int i = 1; i <= spec.Blocks.Count; i++)
        {
            (x, Value depthwise) = Block(spec, spec.Blocks[i - 1], layers, x, $"backbone.block{i}", ref side);
            if (i == spec.LowLevelBlock)
                lowLevel = spec.LowLevelBeforeProjection ? depthwise : x;
        }
        if (spec.LastConvolution)
            x = layers.Convolution(x, "backbone.last", 1, spec.Activation);
        return new Features(lowLevel, x);
    }

    /// <summary>One of the blocks alone, counted from 0, as another network has it in a stage.</summary>
    public static Value Block(InvertedResidualSpec spec, int block, Layers layers, Value x, string name)
    {
        int? side = spec.PaddedForSide;
        return Block(spec, spec.Blocks[block], layers, x, name, ref side).Out;
    }

    private static (Value Out, Value Depthwise) Block(
        InvertedResidualSpec spec, InvertedResidual block, Layers layers, Value x, string name, ref int? side)
    {
        if (block.Attention is { } attention)
        {
            Value attended = MultiQueryAttention.Build(attention, layers, x, name, block.Dilation);
            return (End(block, layers, attended, x, name), attended);
        }
        Activation act = block.Activation ?? spec.Activation;
        int ring = spec.PadsBlockInput && block.DepthwiseKernel > 0
            ? block.Dilation * (block.DepthwiseKernel - 1) / 2
            : 0;
        // One convolution of a block has its stride.
        bool startStrides = block.DepthwiseKernel == 0 && block.StartKernel > 0;
        Value y = x;
        if (block.StartKernel > 0)
        {
            int stride = startStrides ? block.Stride : 1;
            Padding? padding = NominalPadding(ref side, block.StartKernel, stride, block.Dilation);
            y = Strided(spec, layers, $"{name}.start", stride, left => layers.Depthwise(
                y, $"{name}.start", block.StartKernel, Activation.None, left, block.Dilation, padding));
        }
        if (block.ExpandKernel > 0)
        {
            int stride = block.DepthwiseKernel == 0 && !startStrides ? block.Stride : 1;
            // A padded 1x1 convolution computes activation(bias) on the ring: what padding its input means.
            Padding? padding = spec.PadsBlockInput
                ? Padding.Symmetric(ring)
                : NominalPadding(ref side, block.ExpandKernel, stride, 1);
            y = Strided(spec, layers, $"{name}.expand", stride, left => layers.Convolution(
                y, $"{name}.expand", block.ExpandKernel, act, left, padding: padding));
        }
        if (block.DepthwiseKernel > 0)
        {
            Padding? padding = spec.PadsBlockInput && block.ExpandKernel > 0
                ? Padding.None
                : NominalPadding(ref side, block.DepthwiseKernel, block.Stride, block.Dilation);
            y = Strided(spec, layers, $"{name}.depthwise", block.Stride, left => layers.Depthwise(
                y, $"{name}.depthwise", block.DepthwiseKernel, act, left, block.Dilation, padding));
        }
        Value depthwise = y;
        if (block.SqueezeExcite)
            y = SqueezeExcite.Build(spec.Gate, layers, y, $"{name}.gate");
        if (block.Projects)
            y = layers.Convolution(y, $"{name}.project", 1, Activation.None);
        return (End(block, layers, y, x, name), depthwise);
    }

    /// <summary>What a block makes of its last convolution's output y and of its input x.</summary>
    private static Value End(InvertedResidual block, Layers layers, Value y, Value x, string name)
    {
        if (block.Scaled)
            y = layers.Scaled(y, $"{name}.scale");
        bool adds = block.Residual || (block.ResidualWhereAlike && y.Shape == x.Shape);
        return adds ? layers.Add(y, x, name, Activation.None) : y;
    }

    /// <summary>
    /// A convolution with its stride, or without it and with what stands for it behind.
    /// </summary>
    private static Value Strided(
        InvertedResidualSpec spec, Layers layers, string name, int stride, Func<int, Value> convolution) =>
        stride == 1 || spec.AntiAliasing == AntiAliasing.None
            ? convolution(stride)
            : Smoothing.Build(spec.AntiAliasing, layers, convolution(1), $"{name}.smooth", stride);

    /// <summary>
    /// The zeros of <see cref="InvertedResidualSpec.PaddedForSide"/>; null where it is.
    /// </summary>
    /// <param name="side">Side of the convolution's nominal input, which becomes that of its output.</param>
    /// <param name="kernel">The height and width of the window.</param>
    /// <param name="stride">The number of input pixels per output pixel.</param>
    /// <param name="dilation">The number of input pixels between the window's taps.</param>
    private static Padding? NominalPadding(ref int? side, int kernel, int stride, int dilation)
    {
        if (side is not { } nominal)
            return null;
        side = (nominal + stride - 1) / stride;
        return Padding.Same(nominal, nominal, kernel, stride, dilation);
    }
}
