using Atrous.Graph;

namespace Atrous.Specs;

/// <summary>What a quantised file says of its 8 bits; which weights have them is said by the weights.</summary>
internal sealed record QuantizationSpec
{
    /// <summary>By the names of values: <see cref="Quantization.Step"/>.</summary>
    public required IReadOnlyDictionary<string, float> Steps { get; init; }

    /// <summary>By the names of values: <see cref="Quantization.Zero"/>, where it is not 0.</summary>
    public required IReadOnlyDictionary<string, int> Zeros { get; init; }

    /// <summary>How it came about.</summary>
    public required QuantizationFacts Facts { get; init; }
}

/// <summary>What was found out when a model was quantised.</summary>
public sealed record QuantizationFacts
{
    /// <summary>Pictures that the ranges of the activations were measured on.</summary>
    public required int CalibrationPictures { get; init; }

    /// <summary>Other pictures, on which the masks were compared with those of float32.</summary>
    public required int CheckPictures { get; init; }

    /// <summary>The mean share of those pictures' pixels that have the same label as in float32, from 0 to 1.</summary>
    public required double Agreement { get; init; }

    /// <summary>The share of the picture where it is smallest.</summary>
    public required double WorstAgreement { get; init; }

    /// <summary>Convolutions that multiply in 8 bits.</summary>
    public required int QuantizedLayers { get; init; }

    /// <summary>Convolutions that stayed float32.</summary>
    public required int Float32Layers { get; init; }

    /// <summary>
    /// Convolutions whose channels were multiplied by powers of two, and divided again by their readers, so that the
    /// ranges of channels are more alike.
    /// </summary>
    public int EqualizedLayers { get; init; }
}
