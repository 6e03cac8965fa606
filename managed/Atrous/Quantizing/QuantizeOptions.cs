using Atrous.Specs;

namespace Atrous.Quantizing;

/// <summary>What is asked of a model in 8 bits.</summary>
public sealed record QuantizeOptions
{
    /// <summary>
    /// The share of pixels, from 0 to 1, that must get the same label as in float32: in the mean of pictures that the
    /// ranges were not measured on. Of no picture at all may more pixels change than one and a half times as many.
    /// Layers stay float32 until it is reached: those that cost most, among the others or alone, or most for their
    /// work, whichever takes least time.
    /// </summary>
    public double Agreement { get; init; } = 0.99;

    /// <summary>Of more pictures than this, two thirds of them to measure on, so many are taken evenly.</summary>
    public int MostPictures { get; init; } = 48;
}

/// <summary>How far a quantisation is.</summary>
/// <param name="Stage">What is being done, for people: "measuring the layers".</param>
/// <param name="Done">Steps of the stage that are done.</param>
/// <param name="Total">Steps that the stage has.</param>
public readonly record struct QuantizationProgress(string Stage, int Done, int Total);

/// <summary>A convolution, and what its 8 bits cost.</summary>
/// <param name="Name">The layer's name, as the tensors of the file begin with it.</param>
/// <param name="Cost">
/// How much the scores' error falls when this layer alone is float32: the difference of the mean squared errors of the
/// network's scores, in variances of the scores. May be below 0, where errors cancel each other.
/// Where what layers cost alone kept fewer of them, this did not decide.
/// </param>
/// <param name="IsQuantized">True where it became int8, false where it stayed float32.</param>
public sealed record QuantizedLayer(string Name, double Cost, bool IsQuantized);

/// <summary>What came of a quantisation.</summary>
public sealed record QuantizationReport
{
    /// <summary>The file's facts.</summary>
    public required QuantizationFacts Facts { get; init; }

    /// <summary>The convolutions in the order in which they run, but for the first and the last ones.</summary>
    public required IReadOnlyList<QuantizedLayer> Layers { get; init; }

    /// <summary>
    /// How many values have their range by which rule; the rule whose scores were nearest to float32's is the one that
    /// most have.
    /// </summary>
    public required IReadOnlyDictionary<string, int> Rules { get; init; }

    /// <summary>The root of the mean squared error of the scores, in standard deviations of the scores.</summary>
    public required double ScoreError { get; init; }

    /// <summary>The size of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>The model that was read.</summary>
    public required ModelInfo Model { get; init; }
}
