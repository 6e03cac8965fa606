using Atrous.Checkpoints.Storages;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// One training repository's parameter names and numeric conventions: a key fingerprint and a fixed set of switches.
/// The weights alone don't define the model; what they leave open, the dialect decides as the original code does.
/// </summary>
internal abstract class Dialect
{
    /// <summary>Of a pixel that can be of several classes: they are kept as bits of one number.</summary>
    private const int MostLabels = 64;

    /// <summary>What the first convolution is called in networks with one or more stem layers.</summary>
    private static readonly string[] Stems = ["backbone.stem", "backbone.stem.conv1"];

    /// <summary>
    /// Functions that leave the order of a pixel's scores, and the sigmoid that thresholds are for.
    /// </summary>
    private static readonly string[] NeutralFunctions =
        ["Sigmoid", "Softmax", "Softmax2d", "LogSoftmax", "Identity", "Activation"];

    /// <summary>Every dialect, the most specific fingerprints first.</summary>
    public static IReadOnlyList<Dialect> All { get; } =
    [
        new SelfDescribing(),
        new ArronHzg(),
        new Yassouali(),
        new Bubbliiiing(),
        new JfZhang95(),
        new Torchvision(),
        new VainF(),
        new SegmentationModels(),
        new MmSegmentation(),
        new Detectron2(),
        new Kazuto1011(),
        new AdaptSegNet(),
        new UniMatch(),
        new Tramac(),
        new HuggingFace(),
        new HuggingFaceMobileViT(),
        new DenseAspp(),
    ];

    /// <summary>The name by which callers choose it, in any case.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// What tells this dialect from the others (<see cref="Evidence"/>), or null where the file is not of this dialect.
    /// </summary>
    public abstract string? Recognise(ICheckpoint checkpoint);

    /// <summary>
    /// Everything about the model in this file but the dialect, its evidence and the switches, which are the same
    /// for every dialect and added afterwards.
    /// </summary>
    /// <param name="checkpoint">The open file, which this dialect recognises.</param>
    /// <param name="choice">What the user overrides.</param>
    /// <exception cref="ModelException">The file is of this dialect, but not of a network that it knows.</exception>
    /// <exception cref="UnavailableException">The dialect has no such output stride or switch.</exception>
    protected abstract ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice);

    /// <summary>
    /// Recognises a checkpoint's dialect, or takes the one that the user names, and describes its model.
    /// </summary>
    /// <exception cref="ModelException">No dialect fits.</exception>
    /// <exception cref="UnavailableException">There is no dialect, switch or output stride of that name.</exception>
    public static ModelDescription Describe(ICheckpoint checkpoint, string? name, DialectChoice choice)
    {
        foreach (Dialect dialect in Named(name))
        {
            if (dialect.DescribeIfRecognised(checkpoint, choice) is { } description)
                return description;
        }
        if (name is not null)
        {
            throw new ModelException(
                $"'{checkpoint.Path}' has none of the names that the dialect {Named(name)[0].Name} uses.")
            {
                Remedy = Remedy.RecogniseDialect,
            };
        }
        string some = string.Join(", ", checkpoint.Weights.Keys.Take(3).Select(Printable.Quote));
        throw new ModelException(
            $"'{checkpoint.Path}' is not a checkpoint of a network that Atrous knows: its {checkpoint.Weights.Count} " +
            $"tensors ({some}, ...) fit none of the dialects{Kinship.Of(checkpoint) ?? $" {Names()}"}.");
    }

    /// <summary>Whether <see cref="Describe(ICheckpoint, string?, DialectChoice)"/> finds a dialect.</summary>
    /// <exception cref="UnavailableException">There is no dialect of that name.</exception>
    public static bool Knows(ICheckpoint checkpoint, string? name) =>
        Named(name).Any(dialect => dialect.Recognise(checkpoint) is not null);

    private static IReadOnlyList<Dialect> Named(string? name) =>
        name is null ? All
            : All.FirstOrDefault(dialect => dialect.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } named
            ? [named]
            : throw new UnavailableException($"There is no dialect '{name}'; there are {Names()}.");

    private static string Names() => string.Join(", ", All.Select(d => d.Name));

    /// <exception cref="UnavailableException">The network has too many classes.</exception>
    private static ModelDescription OfSeveralLabels(ModelDescription description, DialectChoice choice)
    {
        if (description.Network.Classes > MostLabels)
        {
            throw new UnavailableException(
                $"A pixel can be of several classes where a network has up to {MostLabels}, and this one has " +
                $"{description.Network.Classes}; leave out the switch {DialectChoice.MultiLabel}.");
        }
        return description with
        {
            MultiLabel = true,
            Threshold = description.Threshold ?? choice.LabelThreshold(0.5),
            // Probabilities that sum to 1 are none of those.
            Network = description.Network with { SoftmaxBeforeResize = false },
        };
    }

    /// <summary>
    /// Of a repository that takes ImageNet's statistics: those that a training module keeps beside its network go
    /// before them, since that is what the network has seen.
    /// </summary>
    private static ModelDescription WithOwnStatistics(
        ModelDescription description, ICheckpoint checkpoint, DialectChoice choice)
    {
        PreprocessingSpec usual = description.Preprocessing;
        int channels = description.Network.InputChannels;
        bool isUsual = description.PreprocessingSource == Switch.Assumed
            && usual == Normalisation.ImageNet(channels) with { Resize = usual.Resize, Filter = usual.Filter };
        string? stem = Stems.Select(layer => description.Names[layer].Convolution + ".weight")
            .FirstOrDefault(checkpoint.Weights.ContainsKey);
        if (!isUsual || stem is null
            || StatisticsBuffers.OfOneModule(checkpoint, channels) is not { IsComplete: true } own)
            return description;
        (PreprocessingSpec spec, IReadOnlyList<string> notes) =
            own.Apply(usual, checkpoint, stem, choice, ofNotebooks: false);
        return description with
        {
            Preprocessing = spec,
            PreprocessingSource = Switch.File,
            Notes = [.. description.Notes, .. notes],
            TrainingOnly = [.. description.TrainingOnly, .. own.Names],
        };
    }

    /// <summary>
    /// What a network that was saved whole applies to its scores: a sigmoid of each of several classes makes them
    /// labels of their own. What else changes the scores is left out, and a note says so.
    /// </summary>
    private static ModelDescription BehindTheScores(
        ModelDescription description, ICheckpoint checkpoint, DialectChoice choice)
    {
        string classifier = description.Names["classifier"].Convolution + ".weight";
        string? function = checkpoint.Weights.GetValueOrDefault(classifier)?.Layer?.Activation;
        if (function == "Sigmoid" && description.Network.Classes > 1
            && choice.Switches.All(row => row.Name != DialectChoice.MultiLabel))
            choice.IsMultiLabel(new Standard<bool>(true, Switch.Modules));
        return function is null || NeutralFunctions.Contains(function)
            ? description
            : description with
            {
                Notes =
                [
                    .. description.Notes,
                    $"The saved modules apply {Printable.Quote(function)} to the scores, which is left out here.",
                ],
            };
    }

    /// <summary>Names of classes go into tables, answers and files, and come from who wrote the model.</summary>
    private static void CheckNames(ICheckpoint checkpoint, IReadOnlyList<string> names)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (Printable.ComplaintOf(names[i]) is { } complaint)
                throw new ModelException($"'{checkpoint.Path}' gives class {i} a name that {complaint}.");
        }
    }

    private ModelDescription? DescribeIfRecognised(ICheckpoint checkpoint, DialectChoice choice)
    {
        if (Recognise(checkpoint) is not { } evidence)
            return null;
        ModelDescription description = Describe(checkpoint, choice);
        description = WithOwnStatistics(description, checkpoint, choice);
        if (description.Network.Classes == 1 && description.Threshold is null)
            description = description with { Threshold = choice.ForegroundThreshold(0.5) };
        description = BehindTheScores(description, checkpoint, choice);
        if (description.Network.Classes > 1 && choice.IsMultiLabel())
            description = OfSeveralLabels(description, choice);
        choice.RejectUnread(Name);
        CheckNames(checkpoint, description.ClassNames);
        if (PreprocessingCheck.ComplaintOf(description.Preprocessing) is { } complaint)
            throw new ModelException($"'{checkpoint.Path}' says how a picture is prepared, and its {complaint}.");
        return description with
        {
            Dialect = Name,
            Evidence = evidence,
            Switches = choice.Switches,
            OutputStrideSource = choice.OutputStrideSource,
            NamesAreAssumed = ClassNames.AreAssumed(description.ClassNames),
        };
    }
}
