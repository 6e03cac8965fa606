using Atrous.Graph;
using Atrous.Models.Backbones;
using Atrous.Specs;

namespace Atrous.Models.Heads;

/// <summary>
/// DenseASPP for semantic segmentation in street scenes, Yang et al. 2018 (CVPR), equation 5: pre-activated 1x1 and
/// atrous 3x3 convolutions, each over everything before it. Layers: aspp.branch{0..}.norm (none in branch 0, nor where
/// norms follow), .conv1, .conv2, classifier.
/// </summary>
internal static class DenseAsppHead
{
    public static Value Build(DenseAsppHeadSpec spec, Layers layers, Features features)
    {
        Activation relu = Activation.Relu, none = Activation.None;
        // The first branch starts with an in-place ReLU on the backbone's features, so every later one sees it too.
        Value x = spec.NormsFollow ? features.Out : layers.Activate(features.Out, "aspp", relu);
        for (int i = 0; i < spec.Rates.Count; i++)
        {
            string name = $"aspp.branch{i}";
            Value y = i == 0 || spec.NormsFollow ? x : layers.Norm(x, $"{name}.norm", relu);
            y = layers.Convolution(y, $"{name}.conv1", 1, relu, bias: true);
            y = layers.Convolution(
                y, $"{name}.conv2", 3, spec.NormsFollow ? relu : none, dilation: spec.Rates[i], norm: spec.NormsFollow,
                bias: true);
            x = layers.Concat($"{name}.concat", y, x);
        }
        return Head.Classifier(layers, x);
    }
}
