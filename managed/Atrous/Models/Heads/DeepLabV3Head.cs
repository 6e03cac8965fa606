using Atrous.Graph;
using Atrous.Models.Backbones;
using Atrous.Specs;

namespace Atrous.Models.Heads;

/// <summary>
/// DeepLabV3: ASPP, (3x3), classifier. Chen et al. 2017, arXiv:1706.05587. Layers: aspp.*, head, classifier.
/// </summary>
internal static class DeepLabV3Head
{
    public static Value Build(DeepLabV3HeadSpec spec, Layers layers, Features features)
    {
        Value x = Aspp.Build(spec.Aspp, layers, features.Out);
        if (spec.Hidden is { } style)
            x = layers.Convolution3x3(x, "head", style, spec.Aspp.Activation);
        return Head.Classifier(layers, x);
    }
}
