using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>What a data set's labels and colours become: classes, or <see cref="LabelMapping.Ignored"/>.</summary>
internal sealed record LabelRules
{
    /// <summary>Labels that have a class of their own.</summary>
    public IReadOnlyDictionary<int, int> Labels { get; init; } = new Dictionary<int, int>();

    /// <summary>Colours that have a class.</summary>
    public IReadOnlyDictionary<Rgb, int> Colours { get; init; } = new Dictionary<Rgb, int>();

    /// <summary>
    /// Of a PNG with a palette the number is the label, whatever the colour, also where colours have classes.
    /// </summary>
    public bool PaletteIsLabels { get; init; }

    /// <summary>
    /// Added to every other label; what falls below 0 is not scored, and what falls above the classes is
    /// <see cref="Rest"/>. -1 is what "reduce_zero_label" does.
    /// </summary>
    public int? Shift { get; init; }

    /// <summary>What all others are; null where they are refused.</summary>
    public int? Rest { get; init; }

    /// <summary>The highest class that is named.</summary>
    public int HighestClass =>
        Labels.Values.Concat(Colours.Values).Append(Rest ?? 0)
            .Where(to => to != LabelMapping.Ignored).DefaultIfEmpty(0).Max();
}
