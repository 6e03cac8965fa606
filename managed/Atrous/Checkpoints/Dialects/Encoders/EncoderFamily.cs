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
        new("resnet18 to resnet152", ResNetEncoder.Find),
        new("mobilenet_v2", MobileNetV2Encoder.Find),
    ];

    /// <summary>The encoder of a file.</summary>
    /// <exception cref="ModelException">It is of no family.</exception>
    public static NamedBackbone Of(EncoderSearch search) =>
        All.Select(family => family.Find(search)).FirstOrDefault(found => found is not null)
        ?? throw NamedBackbone.Unknown(
            search.File, "the head of segmentation_models.pytorch's DeepLab on an encoder",
            string.Join(", ", All.Select(family => family.Names)));
}
