using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), MobileNetV3 (Howard et al. 2019, arXiv:1905.02244) and
/// MobileNet-EdgeTPU: inverted residuals with linear bottlenecks.
/// Layers: stem, block{1..}.expand, .depthwise, .gate.reduce, .gate.expand, .project, last.
/// </summary>
internal static class InvertedResidualNet
{
    private static readonly GateSpec Gate = new(Activation.Relu, Activation.HardSigmoid);

    public static Features Build(InvertedResidualSpec spec, Layers layers, Value image)
    {
        Value x = layers.Convolution(
            image, "backbone.stem", 3, spec.StemActivation ?? spec.Activation, stride: 2, padding: spec.StemPadding);
        Value? lowLevel = null;
        for (int i = 1; i <= spec.Blocks.Count; i++)
        {
            (x, Value depthwise) = Block(spec, spec.Blocks[i - 1], layers, x, $"backbone.block{i}");
            if (i == spec.LowLevelBlock)
                lowLevel = spec.LowLevelBeforeProjection ? depthwise : x;
        }
        if (spec.LastConvolution)
            x = layers.Convolution(x, "backbone.last", 1, spec.Activation);
        return new Features(lowLevel, x);
    }

    private static (Value Out, Value Depthwise) Block(
        InvertedResidualSpec spec, InvertedResidual block, Layers layers, Value x, string name)
    {
        Activation act = block.Activation ?? spec.Activation;
        int ring = spec.PadsBlockInput && block.DepthwiseKernel > 0
            ? block.Dilation * (block.DepthwiseKernel - 1) / 2
            : 0;
        int? depthwisePadding = null;
        Value y = x;
        if (block.ExpandKernel > 0)
        {
            int stride = block.DepthwiseKernel == 0 ? block.Stride : 1;
            // A padded 1x1 convolution computes activation(bias) on the ring: what padding its input means.
            y = layers.Convolution(
                y, $"{name}.expand", block.ExpandKernel, act, stride, padding: spec.PadsBlockInput ? ring : null);
            depthwisePadding = spec.PadsBlockInput ? 0 : null;
        }
        if (block.DepthwiseKernel > 0)
        {
            y = layers.Depthwise(
                y, $"{name}.depthwise", block.DepthwiseKernel, act, block.Stride, block.Dilation, depthwisePadding);
        }
        Value depthwise = y;
        if (block.SqueezeExcite)
            y = SqueezeExcite.Build(Gate, layers, y, $"{name}.gate");
        y = layers.Convolution(y, $"{name}.project", 1, Activation.None);
        return (block.Residual ? layers.Add(y, x, name, Activation.None) : y, depthwise);
    }
}
