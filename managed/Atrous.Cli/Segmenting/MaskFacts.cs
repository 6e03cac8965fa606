using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>What reports tell of a mask, which may never have been held whole.</summary>
/// <param name="Height">The number of rows of the mask.</param>
/// <param name="Width">The number of pixels of a row.</param>
/// <param name="Shares">The classes that occur, the most frequent first.</param>
/// <param name="ClassNames">One per class, or empty where the model has none.</param>
/// <param name="Timings">How long it took.</param>
internal sealed record MaskFacts(
    int Height, int Width, IReadOnlyList<ClassShare> Shares, IReadOnlyList<string> ClassNames,
    SegmentationTimings Timings)
{
    /// <summary>On photos that a model is made for, a fifth to a third of the pixels have less.</summary>
    private const float LittleConfidence = 0.8f;

    /// <summary>The label of pixels without data, and how many they are; null where the picture says nothing.</summary>
    public (int Label, long Pixels)? NoData { get; init; }

    /// <summary>The square metres of each class that occurs, where the picture is a map that tells.</summary>
    public IReadOnlyDictionary<int, double>? Areas { get; init; }

    /// <summary>The colours of the classes in the outputs; null where nobody asks.</summary>
    public Palette? Palette { get; init; }

    /// <summary>The share of the pixels that are decided with a confidence below 0.8; null if it is unknown.</summary>
    public double? Doubtful { get; init; }

    /// <summary>A hint that the model may not be made for such pictures; null where it is sure enough.</summary>
    public string? DoubtNote => Doubtful > 0.5
        ? $"{Numbers.WholePercent(Doubtful.Value)} of the picture is decided with a confidence below 0.8; is the model "
            + "made for such pictures?"
        : null;

    /// <summary>Each class but the background has a mask of its own too.</summary>
    public bool IsMultiLabel { get; init; }

    public static MaskFacts Of(Segmentation mask) =>
        new(mask.Height, mask.Width, mask.Shares, mask.ClassNames, mask.Timings)
        {
            IsMultiLabel = mask.IsMultiLabel,
            NoData = mask.NoDataLabel is { } label ? (label, mask.NoDataPixels) : null,
            Doubtful = mask.Confidence.Length > 0 && !mask.IsMultiLabel ? DoubtfulOf(mask) : null,
        };

    /// <summary>"12.3 % of the pixels have no data, and are 255 in the mask."; null where all have.</summary>
    public string? NoDataNote => NoData is (var label, > 0 and var pixels)
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{Numbers.Percent((double)pixels / Height / Width)} of the pixels have no data, and are {label} in the "
            + $"mask.")
        : null;

    private static double DoubtfulOf(Segmentation mask)
    {
        (long doubtful, long all) = (0, 0);
        for (int i = 0; i < mask.Confidence.Length; i++)
        {
            bool isClass = mask.Labels[i] != mask.NoDataLabel;
            all += isClass ? 1 : 0;
            doubtful += isClass && mask.Confidence[i] < LittleConfidence ? 1 : 0;
        }
        return all == 0 ? 0 : (double)doubtful / all;
    }

    /// <summary>The name of a class, or "class 7" where the model has none.</summary>
    public string NameOf(int label) => label < ClassNames.Count ? ClassNames[label] : $"class {label}";
}
