using Atrous.Graph;
using Atrous.Models.Backbones;
using Atrous.Specs;

namespace Atrous.Models.Heads;

/// <summary>
/// DeepLabV2's ASPP, Chen et al. 2016 (arXiv:1606.00915), section 3.2: the sum of atrous 3x3 classifiers. Layers:
/// aspp.branch0.. (one per rate).
/// </summary>
internal static class DeepLabV2Head
{
    public static Value Build(DeepLabV2HeadSpec spec, Layers layers, Features features)
    {
        Value? sum = null;
        for (int i = 0; i < spec.Rates.Count; i++)
        {
            Value branch = layers.Convolution(
                features.Out, $"aspp.branch{i}", 3, Activation.None, dilation: spec.Rates[i], norm: false, bias: true);
            sum = sum is null ? branch : layers.Add(sum, branch, $"aspp.sum{i}", Activation.None);
        }
        return sum ?? throw new ArgumentException("DeepLabV2 needs at least one atrous rate.", nameof(spec));
    }
}
