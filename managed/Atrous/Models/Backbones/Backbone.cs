using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>What a backbone hands to a head.</summary>
/// <param name="LowLevel">Early features for a decoder, mostly at stride 4; null where the spec names none.</param>
/// <param name="Out">The last features, at the output stride.</param>
internal readonly record struct Features(Value? LowLevel, Value Out);

/// <summary>The catalog of backbones: one row each.</summary>
internal static class Backbone
{
    /// <summary>Appends the backbone that the spec describes.</summary>
    public static Features Build(BackboneSpec spec, Layers layers, Value image) => spec switch
    {
        ResNetSpec resNet => ResNet.Build(resNet, layers, image),
        DilatedResNetSpec dilated => DilatedResNet.Build(dilated, layers, image),
        InvertedResidualSpec inverted => InvertedResidualNet.Build(inverted, layers, image),
        XceptionSpec xception => Xception.Build(xception, layers, image),
        VggSpec vgg => Vgg.Build(vgg, layers, image),
        UNetSpec uNet => UNet.Build(uNet, layers, image),
        DenseNetSpec denseNet => DenseNet.Build(denseNet, layers, image),
        MobileOneSpec mobileOne => MobileOne.Build(mobileOne, layers, image),
        DualPathNetSpec dualPath => DualPathNet.Build(dualPath, layers, image),
        ConvNeXtSpec convNeXt => ConvNeXt.Build(convNeXt, layers, image),
        MixTransformerSpec mix => MixTransformer.Build(mix, layers, image),
        MobileViTSpec mobileViT => MobileViT.Build(mobileViT, layers, image),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec, null),
    };
}
