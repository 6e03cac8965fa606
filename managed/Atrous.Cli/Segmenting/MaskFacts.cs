using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>What reports tell of a mask, which may never have been held whole.</summary>
/// <param name="Height">Rows of the mask.</param>
/// <param name="Width">Pixels of a row.</param>
/// <param name="Shares">The classes that occur, the most frequent first.</param>
/// <param name="ClassNames">One per class, or empty where the model has none.</param>
/// <param name="Timings">How long it took.</param>
internal sealed record MaskFacts(
    int Height, int Width, IReadOnlyList<ClassShare> Shares, IReadOnlyList<string> ClassNames,
    SegmentationTimings Timings)
{
    /// <summary>The label of pixels without data, and how many they are; null where the picture says nothing.</summary>
    public (int Label, long Pixels)? NoData { get; init; }

    /// <summary>The square metres of each class that occurs, where the picture is a map that tells.</summary>
    public IReadOnlyDictionary<int, double>? Areas { get; init; }

    /// <summary>Each class but the background has a mask of its own too.</summary>
    public bool IsMultiLabel { get; init; }

    public static MaskFacts Of(Segmentation mask) =>
        new(mask.Height, mask.Width, mask.Shares, mask.ClassNames, mask.Timings)
        {
            IsMultiLabel = mask.IsMultiLabel,
            NoData = mask.NoDataLabel is { } label ? (label, mask.NoDataPixels) : null,
        };

    /// <summary>"12.3 % of the pixels have no data, and are 255 in the mask."; null where all have.</summary>
    public string? NoDataNote => NoData is (var label, > 0 and var pixels)
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{Numbers.Percent((double)pixels / Height / Width)} of the pixels have no data, and are {label} in the "
            + $"mask.")
        : null;

    /// <summary>The name of a class, or "class 7" where the model has none.</summary>
    public string NameOf(int label) => label < ClassNames.Count ? ClassNames[label] : $"class {label}";
}
