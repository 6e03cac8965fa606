using Atrous.Graph;

namespace Atrous.Specs;

/// <summary>
/// Everything that a dialect knows of a checkpoint: the network, the names of its weights, and how pictures enter it.
/// </summary>
internal sealed record ModelDescription
{
    private const string Background = "background";

    /// <summary>The dialect's name, by which a caller can choose it; empty until it was recognised.</summary>
    public string Dialect { get; init; } = "";

    /// <summary>What the dialect was recognised by; empty until then.</summary>
    public string Evidence { get; init; } = "";

    public required NetworkSpec Network { get; init; }

    public required NameMap Names { get; init; }

    public required PreprocessingSpec Preprocessing { get; init; }

    /// <summary>Who says <see cref="Preprocessing"/>, as <see cref="Switch.Source"/>.</summary>
    public string PreprocessingSource { get; init; } = Switch.Assumed;

    /// <summary>One name per class; empty where the file does not say.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>
    /// For a network of one output channel, the probability above which a pixel is foreground, and for one of several
    /// labels a pixel that above which it is of a class; null for others.
    /// </summary>
    public double? Threshold { get; init; }

    /// <summary>Each channel has a sigmoid of its own, so that a pixel can be of several classes, or of none.</summary>
    public bool MultiLabel { get; init; }

    /// <summary>Scores of a pixel: those of the network, or of background and foreground.</summary>
    public int ScoredClasses => Threshold is null || MultiLabel ? Network.Classes : 2;

    /// <summary>
    /// Classes of a mask: those that are scored, behind a background for pixels of none of several labels.
    /// </summary>
    public int MaskClasses => MultiLabel ? Network.Classes + 1 : ScoredClasses;

    /// <summary>A name per class of a mask; empty where there are none.</summary>
    public IReadOnlyList<string> MaskClassNames => Threshold is null || ClassNames.Count == MaskClasses
        ? ClassNames
        : MultiLabel
        ? [Background, .. Enumerable.Range(0, Network.Classes).Select(
            channel => channel < ClassNames.Count ? ClassNames[channel] : $"channel {channel}")]
        : [Background, ClassNames is [string name] ? name : "foreground"];

    /// <summary>
    /// The names are those of a data set that has as many classes, and nobody says that they are this network's.
    /// </summary>
    public bool NamesAreAssumed { get; init; }

    /// <summary>A colour per class of a mask; empty where the file does not say.</summary>
    public IReadOnlyList<PaletteColour> Palette { get; init; } = [];

    /// <summary>The switches that the weights cannot tell, with their values.</summary>
    public IReadOnlyList<Switch> Switches { get; init; } = [];

    /// <summary>Who says the output stride, as <see cref="Switch.Source"/>; null where there is but one.</summary>
    public string? OutputStrideSource { get; init; }

    /// <summary>What a user should know of this file beside its facts, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How the network is computed in 8 bits; null where the file was not quantised.</summary>
    public QuantizationTable? Quantization { get; init; }

    /// <summary>How that was found out; null where the file was not quantised.</summary>
    public QuantizationFacts? QuantizationFacts { get; init; }

    /// <summary>Prefixes of tensors that belong to training alone (auxiliary heads) and are left unread.</summary>
    public IReadOnlyList<string> TrainingOnly { get; init; } = [];

    /// <summary>
    /// Prefixes of the network's own tensors, which must all be read: one that is left over means that the network is
    /// another than the one that was recognised.
    /// </summary>
    public IReadOnlyList<string> ReadWhole { get; init; } = [];

    /// <summary>Prefixes of second names, of tensors that are read under their first.</summary>
    public IReadOnlyList<string> Duplicates { get; init; } = [];
}

/// <summary>A numeric choice that the weights cannot tell.</summary>
/// <param name="Name">The name by which a caller can set it.</param>
/// <param name="Value">The value that is in force.</param>
/// <param name="Meaning">One line, with the values it can take.</param>
public sealed record Switch(string Name, string Value, string Meaning)
{
    internal const string Assumed = "assumed", Given = "given", Modules = "the saved modules",
        File = "the file";

    /// <summary>
    /// Who says the value: "assumed" where nobody does and it is what the training repository's code takes by itself,
    /// "given" where the caller does, or else the part of the model that says it, such as "config.json".
    /// </summary>
    public string Source { get; init; } = Assumed;
}
