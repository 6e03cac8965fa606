using System.Globalization;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// What the user overrides of a dialect: the output stride and named switches. It remembers the switches that a dialect
/// read, so that one that none of them knows is refused instead of ignored.
/// </summary>
/// <param name="outputStride">8, 16 or 32; null for the dialect's own.</param>
/// <param name="options">Values by switch name.</param>
internal sealed class DialectChoice(int? outputStride = null, IReadOnlyDictionary<string, string>? options = null)
{
    /// <summary>The switch of networks of one class, and the entry of files that say it themselves.</summary>
    public const string Threshold = "threshold";

    /// <summary>The switch of networks whose channels are labels of their own, and the entry of such files.</summary>
    public const string MultiLabel = "multilabel";

    private readonly List<Switch> _read = [];
    private bool? _isMultiLabel;

    /// <summary>The switches read so far, with the values in force.</summary>
    public IReadOnlyList<Switch> Switches => [.. _read];

    /// <summary>Who says the output stride; null where it was not asked for, or there is but one.</summary>
    public string? OutputStrideSource { get; private set; }

    /// <summary>Whether the user asks for an output stride.</summary>
    public bool IsStrideGiven => outputStride is not null;

    /// <summary>The output stride: what the user asks for, or the dialect's default.</summary>
    /// <exception cref="UnavailableException">The dialect does not have the user's.</exception>
    /// <exception cref="ModelException">The dialect does not have the file's.</exception>
    public int OutputStride(Standard<int> standard, params int[] available)
    {
        int stride = outputStride ?? standard.Value;
        if (available.Length > 1)
            OutputStrideSource = outputStride is null ? standard.Source : Switch.Given;
        if (available.Contains(stride))
            return stride;
        string others = string.Join(", ", available);
        throw outputStride is null
            ? new ModelException(
                $"The output stride {stride} of {standard.Source} is none of this model's; choose one of {others}.")
            : new UnavailableException($"This model cannot run at output stride {stride}; it can at {others}.");
    }

    /// <summary>A yes-or-no switch.</summary>
    public bool Flag(string name, Standard<bool> standard, string meaning)
    {
        string text = Text(name, standard.As(value => value ? "true" : "false"), $"{meaning} (true or false)");
        return text switch
        {
            "true" => true,
            "false" => false,
            _ => throw new UnavailableException($"The switch {name} takes true or false, not '{text}'."),
        };
    }

    /// <summary>The switch align_corners, as the grid that it stands for.</summary>
    public Sampling AlignCorners(Standard<bool> standard, string meaning) =>
        Flag("align_corners", standard, meaning) ? Sampling.AlignCorners : Sampling.HalfPixel;

    /// <summary>A switch that takes one of a few values.</summary>
    public string OneOf(string name, Standard<string> standard, IReadOnlyList<string> values, string meaning)
    {
        string all = string.Join(", ", values);
        string text = Text(name, standard, $"{meaning} ({all})");
        return values.Contains(text)
            ? text
            : throw new UnavailableException($"The switch {name} takes one of {all}, not '{text}'.");
    }

    /// <summary>A switch that takes a probability, above 0 and below 1.</summary>
    public double Probability(string name, Standard<double> standard, string meaning)
    {
        string text = Text(
            name, standard.As(value => value.ToString(CultureInfo.InvariantCulture)),
            $"{meaning} (a number between 0 and 1)");
        return ReadProbability(text)
            ?? throw new UnavailableException($"The switch {name} takes a number between 0 and 1, not '{text}'.");
    }

    /// <summary>The switch of networks of one output channel.</summary>
    /// <param name="standard">Above which probability the dialect's own code takes a pixel for foreground.</param>
    public double ForegroundThreshold(Standard<double> standard) => Probability(
        Threshold, standard, "the probability above which a pixel of this network of one class is foreground");

    /// <summary>Its like where a pixel can be of several classes.</summary>
    public double LabelThreshold(Standard<double> standard) =>
        Probability(Threshold, standard, "the probability above which a pixel is of a class, whatever its others");

    /// <summary>
    /// Whether a pixel can be of several classes. Weights cannot tell it and nothing is assumed, so that it is no
    /// switch where neither the file nor the user speaks of it.
    /// </summary>
    /// <param name="said">What the file says; null where it says nothing.</param>
    public bool IsMultiLabel(Standard<bool>? said = null)
    {
        if (said is null && !IsGiven(MultiLabel))
            return _isMultiLabel ?? false;
        _isMultiLabel ??= Flag(
            MultiLabel, said ?? (Standard<bool>)false,
            "each channel has a sigmoid of its own, so that a pixel can be of several classes, or of none");
        return _isMultiLabel.Value;
    }

    /// <summary>A number above 0 and below 1; null where the text is none.</summary>
    public static double? ReadProbability(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
        && value is > 0 and < 1
            ? value
            : null;

    /// <summary>A switch that takes so many whole numbers above 0, as 12,24,36.</summary>
    /// <param name="name">The name by which a caller sets it.</param>
    /// <param name="standard">What is in force where nobody sets it.</param>
    /// <param name="meaning">One line for `info`.</param>
    /// <param name="count">How many a caller gives; 0 for as many as the standard has.</param>
    public int[] Numbers(string name, Standard<int[]> standard, string meaning, int count = 0)
    {
        count = count > 0 ? count : standard.Value.Length;
        string some = count == 1 ? "a whole number" : $"{count} whole numbers with commas between";
        string text = Text(name, standard.As(values => string.Join(',', values)), $"{meaning} ({some})");
        if (!IsGiven(name))
            return standard.Value;
        var numbers = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0)
                numbers.Add(number);
        }
        return numbers.Count == count && text.Split(',').Length == count
            ? [.. numbers]
            : throw new UnavailableException($"The switch {name} takes {some}, above 0, not '{text}'.");
    }

    /// <summary>A switch of another kind, as text.</summary>
    public string Text(string name, Standard<string> standard, string meaning)
    {
        bool isGiven = IsGiven(name);
        string value = isGiven ? options![name] : standard.Value;
        _read.Add(new Switch(name, value, meaning) { Source = isGiven ? Switch.Given : standard.Source });
        return value;
    }

    private bool IsGiven(string name) => options?.ContainsKey(name) ?? false;

    /// <summary>Throws where the user gave a switch that was not read.</summary>
    /// <exception cref="UnavailableException">There is no such switch.</exception>
    public void RejectUnread(string dialect)
    {
        string? unread = options?.Keys.FirstOrDefault(name => _read.All(s => s.Name != name));
        if (unread is null)
            return;
        string known = _read.Count == 0 ? "it has none" : "it has " + string.Join(", ", _read.Select(s => s.Name));
        throw new UnavailableException(
            string.Create(CultureInfo.InvariantCulture, $"The dialect {dialect} has no switch '{unread}'; {known}."));
    }
}
