using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Aligned Xception: Chollet 2016 (arXiv:1610.02357), modified as in Chen et al. 2018 (arXiv:1802.02611), figure 4.
/// Layers: stem.conv1, stem.conv2, block{1..}.sep{1..3}.depthwise, .pointwise, .shortcut, exit{1..}.depthwise,
/// .pointwise.
/// </summary>
internal static class Xception
{
    public static Features Build(XceptionSpec spec, Layers layers, Value image)
    {
        Padding stem = Padding.Symmetric(spec.StemPadding);
        Value x = layers.Convolution(image, "backbone.stem.conv1", 3, spec.Activation, stride: 2, padding: stem);
        x = layers.Convolution(
            x, "backbone.stem.conv2", 3, spec.StemActivated ? spec.Activation : Activation.None, padding: stem);
        Value? lowLevel = null;
        for (int i = 1; i <= spec.Blocks.Count; i++)
        {
            XceptionBlock block = spec.Blocks[i - 1];
            if (block.InputActivation is { } inputActivation)
                x = layers.Activate(x, $"backbone.block{i}.input", inputActivation);
            Value input = x;
            (x, Value second, Value lastInput) = Block(spec, block, layers, x, $"backbone.block{i}");
            lowLevel = (spec.LowLevel, i) switch
            {
                (XceptionTap.Block1, 1) => x,
                (XceptionTap.Block2Input, 2) => input,
                (XceptionTap.Block2Second, 2) => second,
                (XceptionTap.LastInput, _) when i == spec.TapBlock => lastInput,
                _ => lowLevel,
            };
            if (spec.EndsAtLastInput && i == spec.Blocks.Count)
                return new Features(lowLevel, lastInput);
        }
        if (spec.ExitActivatedFirst)
            x = layers.Activate(x, "backbone.exit", spec.Activation);
        for (int i = 1; i <= spec.Exit.Count; i++)
        {
            XceptionExit exit = spec.Exit[i - 1];
            Activation act = spec.Activation, none = Activation.None;
            x = layers.Depthwise(
                x, $"backbone.exit{i}.depthwise", 3, exit.ActivatedBetween ? act : none, dilation: exit.Dilation,
                padding: exit.Padding is { } all ? Padding.Symmetric(all) : null, norm: spec.NormBetween);
            x = layers.Convolution(x, $"backbone.exit{i}.pointwise", 1, exit.Normed ? act : none, norm: exit.Normed);
        }
        return new Features(lowLevel, x);
    }

    private static (Value Out, Value Second, Value LastInput) Block(
        XceptionSpec spec, XceptionBlock block, Layers layers, Value x, string name)
    {
        bool sees = block.ConvolutionSkip ? spec.ConvolutionSkipActivated : spec.IdentitySkipActivated;
        Value y = block.StartsActivated ? layers.Activate(x, $"{name}.start", spec.Activation) : x;
        Value skip = sees ? y : x;
        Value second = y, lastInput = y;
        for (int i = 1; i <= block.Convolutions; i++)
        {
            bool last = i == block.Convolutions;
            if (i > 1)
                y = layers.Activate(y, $"{name}.sep{i}.start", spec.Activation);
            lastInput = y;
            y = layers.Depthwise(
                y, $"{name}.sep{i}.depthwise", 3, Activation.None,
                stride: last && spec.StrideInConvolution ? block.Stride : 1,
                dilation: last ? block.LastDilation ?? block.Dilation : block.Dilation, norm: spec.NormBetween);
            y = layers.Convolution(y, $"{name}.sep{i}.pointwise", 1, Activation.None, norm: i != block.Unnormed);
            if (i == 2)
                second = y;
        }
        if (block.Stride > 1 && !spec.StrideInConvolution)
            y = layers.Graph.Add($"{name}.pool", new MaxPool2d(3, block.Stride, 1), y);
        if (block.ConvolutionSkip)
            skip = layers.Convolution(skip, $"{name}.shortcut", 1, Activation.None, block.Stride);
        return (layers.Add(y, skip, name, Activation.None), second, lastInput);
    }
}
