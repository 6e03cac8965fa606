using System.Globalization;
using Atrous.Shapes;

namespace Atrous.Cli.Formats;

/// <summary>What --format and the options beside it ask for.</summary>
/// <param name="OfPicture">The formats with a file for each picture.</param>
/// <param name="OfRun">The formats with one file for all.</param>
/// <param name="Only">Names or numbers of the classes that are written; null for all.</param>
/// <param name="MinArea">Regions and holes of fewer pixels are left out.</param>
/// <param name="Simplify">How far, in pixels, a line may be moved.</param>
internal sealed record FormatChoice(
    IReadOnlyList<PictureFormat> OfPicture, IReadOnlyList<RunFormat> OfRun, IReadOnlyList<string>? Only, int MinArea,
    double Simplify)
{
    public bool IsNone => OfPicture.Count == 0 && OfRun.Count == 0;

    public bool NeedsConfidence => OfPicture.Any(format => format.NeedsConfidence);

    /// <summary>The options of a model's regions.</summary>
    /// <exception cref="CommandException">A class of --only is none of the model's.</exception>
    public RegionOptions Regions(ModelInfo model) => new()
    {
        MinArea = MinArea,
        Simplify = Simplify,
        Labels = Only?.SelectMany(name => LabelsOf(name, model)).ToHashSet(),
    };

    private static IEnumerable<int> LabelsOf(string name, ModelInfo model)
    {
        int[] named = [.. Enumerable.Range(0, model.ClassNames.Count).Where(
            label => model.ClassNames[label].Equals(name, StringComparison.OrdinalIgnoreCase))];
        if (named.Length > 0)
            return named;
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int label) && label < model.Classes)
            return [label];
        throw CommandException.Usage(model.ClassNames.Count == 0
            ? $"--only: '{name}' is no class; the model's classes have no names, only numbers from 0 to "
                + $"{model.Classes - 1}."
            : $"--only: '{name}' is no class of the model; it has {string.Join(", ", model.ClassNames.Take(30))}"
                + $"{(model.ClassNames.Count > 30 ? " and more" : "")}.");
    }
}
