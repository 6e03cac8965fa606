using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>A family of segmentation_models.pytorch's encoders, whose files name their layers alike.</summary>
/// <param name="Names">The names that the original's users know, as a list in words.</param>
/// <param name="Find">The encoder, or null where the file has none of this family.</param>
internal sealed record EncoderFamily(string Names, Func<EncoderSearch, NamedBackbone?> Find)
{
    /// <summary>The catalog of families: one row each, the most specific keys first.</summary>
    public static IReadOnlyList<EncoderFamily> All { get; } =
    [
        new("se_resnet, se_resnext, senet154", SENetEncoder.Find),
        new("skresnet", SkResNetEncoder.Find),
        new("resnest", ResNeStEncoder.Find),
        new("res2net", Res2NetEncoder.Find),
        new("resnet18 to resnet152, resnext", ResNetEncoder.Find),
        new("regnetx, regnety", RegNetEncoder.Find),
        new("gernet", GerNetEncoder.Find),
        new("mobileone", MobileOneEncoder.Find),
        new("dpn", DualPathNetEncoder.Find),
        new("xception (timm)", XceptionEncoder.Find),
        new("mit", MixTransformerEncoder.Find),
        new("convnext", ConvNeXtEncoder.Find),
        new("mobilevit, mobilevitv2", MobileViTEncoder.Find),
        new("mobilenet_v2", MobileNetV2Encoder.Find),
        new("efficientnet-b0 to b7", EfficientNetEncoder.Find),
        new("timm-efficientnet-b0 to l2 and timm-tf_efficientnet_lite0 to 4", TimmEfficientNetEncoder.Find),
        new("timm-mobilenetv3 and tu- EfficientNet, EfficientNetV2, MobileNetV2 to V4, MnasNet", TimmEncoder.Find),
    ];

    /// <summary>The encoder of a file.</summary>
    /// <exception cref="ModelException">It is of no family.</exception>
    public static NamedBackbone Of(EncoderSearch search)
    {
        NamedBackbone encoder = All.Select(family => family.Find(search)).FirstOrDefault(found => found is not null)
            ?? throw NamedBackbone.Unknown(
                search.File, "the head of segmentation_models.pytorch's DeepLab on an encoder",
                string.Join(", ", All.Select(family => family.Names)));
        return SmoothedEncoder.Of(search, encoder);
    }
}
