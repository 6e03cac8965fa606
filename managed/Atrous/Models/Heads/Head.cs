using Atrous.Graph;
using Atrous.Models.Backbones;
using Atrous.Specs;

namespace Atrous.Models.Heads;

/// <summary>The catalog of heads: one row each.</summary>
internal static class Head
{
    /// <summary>
    /// Appends the head that the spec describes; returns the logits, as the last convolution makes them.
    /// </summary>
    public static Value Build(HeadSpec spec, Layers layers, Features features) => spec switch
    {
        DeepLabV2HeadSpec v2 => DeepLabV2Head.Build(v2, layers, features),
        DeepLabV3HeadSpec v3 => DeepLabV3Head.Build(v3, layers, features),
        DeepLabV3PlusHeadSpec plus => DeepLabV3PlusHead.Build(plus, layers, features),
        DenseAsppHeadSpec dense => DenseAsppHead.Build(dense, layers, features),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec, null),
    };

    /// <summary>The last 1x1 convolution, from features to one score per class.</summary>
    internal static Value Classifier(Layers layers, Value x) =>
        layers.Convolution(x, "classifier", 1, Activation.None, norm: false, bias: true);
}
