using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// timm's networks that blur, or take means, where they would stride: resnetblur50, resnetaa50d, efficientnet_blur_b0,
/// mobilenetv4_conv_aa_large. They have the tensors of their plain kin and give another mask.
/// </summary>
internal static class SmoothedEncoder
{
    private const string None = "none", Mean = "mean", Blur = "blur";

    /// <summary>Parts of the names of those that take means.</summary>
    private static readonly string[] Means = ["_aa_", "netaa", "nextaa"];

    /// <summary>The kin of those that have no ResNet's blocks.</summary>
    private static readonly string[] Others = ["EfficientNet-B0", "MobileNetV4"];

    /// <summary>The encoder as the file says, or a switch, where timm has it in more ways than one.</summary>
    /// <exception cref="ModelException">It is said to be another that blurs.</exception>
    public static NamedBackbone Of(EncoderSearch search, NamedBackbone encoder)
    {
        string? name = search.Said.Text("encoder_name");
        string? named = name is null ? null : Named(name);
        bool isTimms = encoder.Stem.StartsWith(EncoderSearch.Timm, StringComparison.Ordinal);
        bool hasKin = isTimms && (encoder.Spec is ResNetSpec { Window: ResidualWindow.Convolution, SmallStem: false }
            || Others.Contains(encoder.Spec.Name));
        if (!hasKin)
        {
            return named is null or None
                ? encoder
                : throw new ModelException(
                    $"'{search.File.Path}': its encoder {name} blurs where it strides, which Atrous does not have.");
        }
        string kind = search.Choice.OneOf(
            "anti_aliasing", OfModules(search.File) ?? search.Said.Or(named, None), [None, Mean, Blur],
            "what stands for the encoder's strides: mean where timm's name of it has aa, blur where it has blur");
        return encoder with
        {
            Spec = encoder.Spec switch
            {
                ResNetSpec resNet => resNet with { AntiAliasing = Kind(kind, AntiAliasing.Blur) },
                InvertedResidualSpec blocks => blocks with { AntiAliasing = Kind(kind, AntiAliasing.BlurWithZeros) },
                BackboneSpec other => other,
            },
        };
    }

    private static string Named(string name) =>
        name.Contains(Blur, StringComparison.Ordinal) ? Blur
        : Array.Exists(Means, part => name.Contains(part, StringComparison.Ordinal)) ? Mean
        : None;

    /// <summary>What the modules of a network say that was saved whole; null for a state_dict.</summary>
    private static Standard<string>? OfModules(ICheckpoint file)
    {
        LayerFacts[] layers = [.. file.Weights.Values.Select(weight => weight.Layer).OfType<LayerFacts>()];
        if (layers.Length == 0)
            return null;
        string kind = layers.Select(layer => layer.Smoother).FirstOrDefault(smoother => smoother is not null) switch
        {
            null => None,
            "AvgPool2d" => Mean,
            _ => Blur,
        };
        return new Standard<string>(kind, Switch.Modules);
    }

    private static AntiAliasing Kind(string kind, AntiAliasing blur) => kind switch
    {
        Mean => AntiAliasing.Mean,
        Blur => blur,
        _ => AntiAliasing.None,
    };
}
