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
    /// <summary>Each class but the background has a mask of its own too.</summary>
    public bool IsMultiLabel { get; init; }

    public static MaskFacts Of(Segmentation mask) =>
        new(mask.Height, mask.Width, mask.Shares, mask.ClassNames, mask.Timings)
        {
            IsMultiLabel = mask.IsMultiLabel,
        };

    /// <summary>The name of a class, or "class 7" where the model has none.</summary>
    public string NameOf(int label) => label < ClassNames.Count ? ClassNames[label] : $"class {label}";
}
