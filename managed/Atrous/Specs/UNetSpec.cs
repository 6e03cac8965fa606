using System.Text.Json.Serialization;

namespace Atrous.Specs;

/// <summary>
/// U-Net (Ronneberger et al. 2015, arXiv:1505.04597) with padded convolutions: each stage of the encoder after the
/// first halves the size, each of the decoder doubles it bilinearly and joins the encoder's features of that size.
/// </summary>
internal sealed record UNetSpec : BackboneSpec
{
    /// <summary>3x3 convolutions of each stage of the encoder, the largest size first.</summary>
    public required IReadOnlyList<int> Encoder { get; init; }

    /// <summary>3x3 convolutions of each stage of the decoder, the largest size first: one stage fewer.</summary>
    public required IReadOnlyList<int> Decoder { get; init; }

    /// <summary>The stages of the decoder double what those of the encoder have halved.</summary>
    [JsonIgnore]
    public override int SizeMultiple => 1 << (Encoder.Count - 1);
}
