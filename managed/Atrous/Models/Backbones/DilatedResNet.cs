using System.Globalization;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Dilated residual networks, Yu, Koltun and Funkhouser 2017 (arXiv:1705.09914), form D: strided convolutions in place
/// of the max-pool, the residual stages of a ResNet, and convolutions of falling dilation that take the grid pattern
/// away. Layers: stem.conv1.., stage{1..4}.{block}.conv{1..3}, .shortcut, exit{1..}.
/// </summary>
internal static class DilatedResNet
{
    public static Features Build(DilatedResNetSpec spec, Layers layers, Value image)
    {
        Value x = image;
        for (int i = 1; i <= spec.Stem.Count; i++)
        {
            StemConvolution stem = spec.Stem[i - 1];
            string name = string.Create(CultureInfo.InvariantCulture, $"backbone.stem.conv{i}");
            x = layers.Convolution(x, name, stem.Kernel, spec.Activation, stem.Stride);
        }
        Features stages = ResNet.Stages(spec.Stages, layers, x);
        x = stages.Out;
        for (int i = 1; i <= spec.ExitDilations.Count; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"backbone.exit{i}");
            x = layers.Convolution(x, name, 3, spec.Activation, dilation: spec.ExitDilations[i - 1]);
        }
        return stages with { Out = x };
    }
}
