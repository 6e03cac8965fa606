using Atrous.Graph;
using Atrous.Models.Backbones;
using Atrous.Specs;

namespace Atrous.Models.Heads;

/// <summary>
/// DeepLabV3+: ASPP, upsampling to the low-level features, two 3x3 convolutions over both, classifier. Chen et al.
/// 2018, arXiv:1802.02611, figure 2. Layers: aspp.*, (decoder.after_aspp), decoder.low_level, decoder.fuse{0,1},
/// classifier.
/// </summary>
internal static class DeepLabV3PlusHead
{
    public static Value Build(DeepLabV3PlusHeadSpec spec, Layers layers, Features features)
    {
        Value lowLevel = features.LowLevel
            ?? throw new ArgumentException("DeepLabV3+ needs low-level features.", nameof(features));
        Value x = Aspp.Build(spec.Aspp, layers, features.Out);
        if (spec.AfterAspp)
            x = layers.Convolution3x3(x, "decoder.after_aspp", spec.Style, spec.Activation);
        lowLevel = layers.Convolution(
            lowLevel, "decoder.low_level", spec.LowLevelKernel, Activation.Relu, bias: spec.Bias);
        x = layers.Graph.Resize("decoder.resize", x, lowLevel.Shape.Height, lowLevel.Shape.Width, spec.Sampling);
        x = spec.LowLevelFirst
            ? layers.Concat("decoder.concat", lowLevel, x)
            : layers.Concat("decoder.concat", x, lowLevel);
        for (int i = 0; i < spec.FuseConvolutions; i++)
        {
            x = spec.FuseKernel == 3
                ? layers.Convolution3x3(x, $"decoder.fuse{i}", spec.Style, spec.Activation, bias: spec.Bias)
                : layers.Separable(
                    x, $"decoder.fuse{i}", spec.FuseKernel, spec.Style == ConvolutionStyle.SeparableNormed,
                    spec.Activation);
        }
        return Head.Classifier(layers, x);
    }
}
