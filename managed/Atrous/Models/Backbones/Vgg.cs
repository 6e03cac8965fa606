using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Very deep convolutional networks, Simonyan and Zisserman 2014 (arXiv:1409.1556), dilated as in Chen et al. 2014
/// (arXiv:1412.7062). Layers: stage{1..}.{convolution}.
/// </summary>
internal static class Vgg
{
    public static Features Build(VggSpec spec, Layers layers, Value x)
    {
        for (int stage = 1; stage <= spec.Stages.Count; stage++)
        {
            (int convolutions, int dilation, bool pooled) = spec.Stages[stage - 1];
            for (int i = 0; i < convolutions; i++)
            {
                x = layers.Convolution(
                    x, $"backbone.stage{stage}.{i}", 3, spec.Activation, dilation: dilation, norm: false, bias: true);
            }
            if (pooled)
                x = layers.Graph.Add($"backbone.stage{stage}.pool", new MaxPool2d(2, 2, 0), x);
        }
        return new Features(null, x);
    }
}
