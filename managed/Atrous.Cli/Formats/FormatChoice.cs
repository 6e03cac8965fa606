using Atrous.Formats;
using Atrous.Shapes;

namespace Atrous.Cli.Formats;

/// <summary>What --format and the options beside it ask for.</summary>
/// <param name="OfPicture">The formats with a file for each picture.</param>
/// <param name="OfRun">The formats with one file for all.</param>
/// <param name="Only">The names or numbers of the classes that are written; null for all.</param>
/// <param name="MinArea">Regions and holes of fewer pixels are left out.</param>
/// <param name="Simplify">How far, in pixels, a line may be moved.</param>
internal sealed record FormatChoice(
    IReadOnlyList<PictureFormat> OfPicture, IReadOnlyList<RunFormat> OfRun, IReadOnlyList<string>? Only, int MinArea,
    double Simplify)
{
    public bool IsNone => OfPicture.Count == 0 && OfRun.Count == 0;

    /// <summary>The option that needs the whole mask; null where none does, and rows of it are enough.</summary>
    public string? NeedsWhole =>
        OfPicture.Where(format => !format.IsOfRows).Select(format => format.Name)
            .Concat(OfRun.Select(format => format.Name)).FirstOrDefault() is { } name ? $"--format {name}"
        : Simplify > 0 ? "--simplify"
        : null;

    public bool NeedsProbabilities => OfPicture.Any(format => format.NeedsProbabilities);

    public bool NeedsConfidence => OfPicture.Any(format => format.NeedsConfidence);

    /// <summary>The options of a model's regions.</summary>
    /// <exception cref="CommandException">A class of --only is none of the model's.</exception>
    public RegionOptions Regions(ModelInfo model) => new()
    {
        MinArea = MinArea,
        Simplify = Simplify,
        Labels = Only?.SelectMany(name => LabelsOf(name, model)).ToHashSet(),
    };

    private static IReadOnlyList<int> LabelsOf(string name, ModelInfo model) =>
        WantedClasses.Of(name, model) is { Count: > 0 } labels
            ? labels
            : throw CommandException.Usage($"--only: {WantedClasses.Unknown(name, model)}");
}
