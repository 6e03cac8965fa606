using System.Text.Json;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// The pre-processing of the weights that an encoder's training started from: most were trained with ImageNet's
/// statistics, those of AdvProp and many of Google's with 0.5 for mean and deviation.
/// </summary>
internal static class EncoderStatistics
{
    private const string ImageNet = "imagenet", Half = "0.5";

    private static readonly string[] Entries = ["encoder_name", "encoder_weights"];

    /// <summary>Parts of the names of weights that were trained with 0.5.</summary>
    private static readonly string[] SignsOfHalf = ["advprop", ".ap_in1k", "_ap", ".ra4_"];

    /// <summary>The statistics as the encoder's arguments say or imply; a switch.</summary>
    /// <param name="search">The file and the user's choice.</param>
    /// <param name="isHalf">Whether the weights that the original loads first have 0.5.</param>
    public static PreprocessingSpec Of(EncoderSearch search, bool isHalf)
    {
        // Weights may be true there, for those that the encoder's own name tells.
        bool said = Entries.Any(key => search.Said[key] is { ValueKind: JsonValueKind.String } entry
            && SignsOfHalf.Any(sign => entry.GetString()!.Contains(sign, StringComparison.Ordinal)));
        string statistics = search.Choice.OneOf(
            "normalisation", said ? new Standard<string>(Half, search.Said.Source) : isHalf ? Half : ImageNet,
            [ImageNet, Half],
            "mean and deviation that the encoder's first weights were trained with");
        return statistics == Half
            ? Normalisation.Of([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f])
            : PreprocessingSpec.ImageNet;
    }
}
