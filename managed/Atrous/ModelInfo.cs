using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Models;
using Atrous.Postprocessing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous;

/// <summary>What Atrous makes of a checkpoint file, found out from names and shapes alone.</summary>
public sealed record ModelInfo
{
    /// <summary>The file, or the folder.</summary>
    public required string Path { get; init; }

    /// <summary>"safetensors", "torch-zip", "torch-legacy" or "numpy-pickle".</summary>
    public required string Container { get; init; }

    /// <summary>The dictionary keys that lead to the weights, joined by dots; empty for the root.</summary>
    public required string WeightsPath { get; init; }

    /// <summary>What was stripped from the front of every name ("module."); empty for nothing.</summary>
    public required string StrippedPrefix { get; init; }

    /// <summary>The training repository's dialect.</summary>
    public required string Dialect { get; init; }

    /// <summary>The names by which the dialect was recognised.</summary>
    public required string Evidence { get; init; }

    /// <summary>"DeepLabV3+" and so on.</summary>
    public required string Architecture { get; init; }

    /// <summary>"ResNet-101" and so on.</summary>
    public required string Backbone { get; init; }

    /// <summary>Input size / backbone output size.</summary>
    public required int OutputStride { get; init; }

    /// <summary>
    /// Who says <see cref="OutputStride"/>, in the words of <see cref="Switch.Source"/>; null where the network has no
    /// other.
    /// </summary>
    public string? OutputStrideSource { get; init; }

    /// <summary>Channels of the picture.</summary>
    public required int InputChannels { get; init; }

    /// <summary>
    /// Classes of a mask: 2, background and foreground, for a network of one output channel, and one more than the
    /// network has where a pixel can be of several or of none.
    /// </summary>
    public required int Classes { get; init; }

    /// <summary>
    /// The probability above which a pixel is foreground, for a network of one output channel, or above which it is of
    /// a class where it can be of several; null for others.
    /// </summary>
    public double? Threshold { get; init; }

    /// <summary>
    /// Each channel of the network has a sigmoid of its own, so that a pixel can be of several classes: the file or the
    /// switch "multilabel" says so. Class 0 of a mask is then the background, of no class.
    /// </summary>
    public bool IsMultiLabel { get; init; }

    /// <summary>One per class, or empty.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The names are those of a data set that has as many classes.</summary>
    internal bool NamesAreAssumed { get; init; }

    /// <summary>The classes' colours, where the file has them; null otherwise.</summary>
    public Palette? Palette { get; init; }

    /// <summary>
    /// Learned values in the file, auxiliary heads included; batch norms' statistics are not learned.
    /// </summary>
    public required long Parameters { get; init; }

    /// <summary>How a picture becomes the network's input.</summary>
    public required PreprocessingSpec Preprocessing { get; init; }

    /// <summary>Who says <see cref="Preprocessing"/>, in the words of <see cref="Switch.Source"/>.</summary>
    public string PreprocessingSource { get; init; } = Switch.Assumed;

    /// <summary>What the weights cannot tell, with the values in force and who says them.</summary>
    public required IReadOnlyList<Switch> Switches { get; init; }

    /// <summary>What a user should know of this file beside its facts, a sentence each; mostly empty.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How the model was quantised; null where it was not.</summary>
    public QuantizationFacts? Quantization { get; init; }

    /// <summary>Tensors that the network needs and the file lacks. Such a model cannot be run.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>Tensors that the file has and the network does not use.</summary>
    public required IReadOnlyList<string> Unexpected { get; init; }

    /// <summary>
    /// How many tensors the file has beside the network (loss weights, metrics, another network, an optimiser), by
    /// name; those that share a prefix are one entry, "ema_model.*".
    /// </summary>
    public required IReadOnlyDictionary<string, int> Beside { get; init; }

    /// <summary>Small values that the training script stored beside the weights.</summary>
    public required IReadOnlyDictionary<string, string> Extras { get; init; }

    /// <summary>
    /// Multiply-adds of one run at a network input size (convolutions only, as papers count them); null where weights
    /// are missing.
    /// </summary>
    public long? MultiplyAdds { get; init; }

    /// <summary>The input size that <see cref="MultiplyAdds"/> speaks of.</summary>
    public (int Height, int Width) AtSize { get; init; }

    /// <summary>
    /// What was chosen among a file's tensors, to be said wherever the model is used: one of several networks, and
    /// tensors of the network's own dictionary that are not used, which may be loss weights, or layers that this
    /// network should have. Empty where nothing was.
    /// </summary>
    internal string Selection
    {
        get
        {
            const int shown = 3;
            string path = WeightsPath.Length > 0 ? WeightsPath + "." : "";
            string[] unused =
            [
                .. Unexpected,
                .. Beside.Keys.Where(name => name.StartsWith(path, StringComparison.Ordinal))
                    .Select(name => name[path.Length..]),
            ];
            string more = unused.Length > shown ? $" and {unused.Length - shown} more" : "";
            var said = new List<string>();
            if (Switches.FirstOrDefault(row => row.Name == NetworkSearch.Option) is { } chosen)
                said.Add($"{chosen.Name}={chosen.Value} of several networks");
            if (unused.Length > 0)
                said.Add($"not used: {string.Join(", ", unused.Take(shown))}{more}");
            return string.Join(", ", said);
        }
    }

    /// <summary>
    /// What the file does not say and was assumed as the training repository's code takes it: "rates=6,12,18", "input
    /// RGB from 0 to 1, ..."; empty for a model that says it all. The threshold and the choice among several networks
    /// are not among them.
    /// </summary>
    public IReadOnlyList<string> Assumptions
    {
        get
        {
            IEnumerable<string> assumed = Switches
                .Where(row => row.Source == Switch.Assumed
                    && row.Name is not (DialectChoice.Threshold or NetworkSearch.Option))
                .Select(row => $"{row.Name}={row.Value}");
            if (OutputStrideSource == Switch.Assumed)
                assumed = assumed.Prepend($"output stride {OutputStride}");
            if (PreprocessingSource == Switch.Assumed)
                assumed = assumed.Append($"input {Preprocessing.Description}");
            if (NamesAreAssumed)
                assumed = assumed.Append("class names by their number");
            return [.. assumed];
        }
    }

    /// <summary>Reads a checkpoint's names and shapes.</summary>
    /// <param name="path">A checkpoint, or the folder of a model with its config.json.</param>
    /// <param name="options">The output stride, dialect and switches; null for the dialect's own.</param>
    /// <param name="height">
    /// The input's height for which <see cref="MultiplyAdds"/> counts, or the next above it that the network takes.
    /// </param>
    /// <param name="width">
    /// The input's width for which <see cref="MultiplyAdds"/> counts, or the next above it that the network takes.
    /// </param>
    /// <exception cref="ModelException">The file is broken, or no dialect fits.</exception>
    /// <exception cref="UnavailableException">There is no such dialect, switch or output stride.</exception>
    public static ModelInfo Read(string path, SegmenterOptions? options = null, int height = 513, int width = 513)
    {
        using Checkpoint file = Checkpoint.Open(path);
        (Checkpoint checkpoint, ModelDescription description) = Describe(file, options ?? new SegmenterOptions());
        BackboneSpec backbone = description.Network.Backbone;
        (height, width) = (backbone.SideFrom(height), backbone.SideFrom(width));
        return Of(checkpoint, description) with
        {
            MultiplyAdds = Count(checkpoint, description, height, width),
            AtSize = (height, width),
        };
    }

    /// <summary>
    /// The tensors of a file that are its network, and the dialect's description of it with the user's choices.
    /// </summary>
    internal static (Checkpoint Weights, ModelDescription Description) Describe(
        Checkpoint file, SegmenterOptions options)
    {
        (Checkpoint weights, ModelDescription description) = NetworkSearch.Find(file, options);
        if (options.ClassNames is { } names)
        {
            if (names.Count != description.MaskClasses)
            {
                throw new UnavailableException(
                    $"{names.Count} class names were given for a model of {description.MaskClasses} classes.");
            }
            description = description with { ClassNames = names, NamesAreAssumed = false };
        }
        if (options.Preprocessing is { } preprocessing)
            description = description with { Preprocessing = preprocessing, PreprocessingSource = Switch.Given };
        return (weights, description);
    }

    internal static ModelInfo Of(Checkpoint checkpoint, ModelDescription description)
    {
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(description, checkpoint);
        return new ModelInfo
        {
            Path = checkpoint.Path,
            Container = checkpoint.Container,
            WeightsPath = checkpoint.WeightsPath,
            StrippedPrefix = checkpoint.StrippedPrefix,
            Dialect = description.Dialect,
            Evidence = description.Evidence,
            Architecture = description.Network.Head.Name,
            Backbone = description.Network.Backbone.Name,
            OutputStride = description.Network.OutputStride,
            OutputStrideSource = description.OutputStrideSource,
            InputChannels = description.Network.InputChannels,
            Classes = description.MaskClasses,
            ClassNames = description.MaskClassNames,
            NamesAreAssumed = description.NamesAreAssumed,
            Palette = PaletteOf(description),
            Threshold = description.Threshold,
            IsMultiLabel = description.MultiLabel,
            Parameters = checkpoint.Weights.Values.Where(IsLearned).Sum(weight => weight.Elements),
            Preprocessing = description.Preprocessing,
            PreprocessingSource = description.PreprocessingSource,
            Switches = description.Switches,
            Notes = description.Notes,
            Quantization = description.QuantizationFacts,
            Missing = missing,
            Unexpected = unexpected,
            Beside = checkpoint.Beside,
            Extras = checkpoint.Extras,
        };
    }

    private static Palette? PaletteOf(ModelDescription description) =>
        description.Palette.Count is 0 or > Palette.MaxColours
            ? null
            : new Palette(
                [
                    // The file's colours are those of its classes.
                    .. description.MultiLabel && description.Palette.Count == description.Network.Classes
                        ? [default] : (Rgb[])[],
                    .. description.Palette.Select(colour => new Rgb(colour.Red, colour.Green, colour.Blue)),
                ],
                description.MaskClassNames);

    private static bool IsLearned(WeightInfo weight) =>
        weight.Type.IsFloatingPoint() && !weight.Name.EndsWith(".running_mean", StringComparison.Ordinal)
        && !weight.Name.EndsWith(".running_var", StringComparison.Ordinal);

    private static long? Count(Checkpoint checkpoint, ModelDescription description, int height, int width)
    {
        if (Model.Compare(description, checkpoint).Missing.Count > 0)
            return null;
        var graph = new GraphBuilder();
        Value image = graph.Input("image", new Shape(1, height, width, description.Network.InputChannels));
        NetworkGraph network = graph.Build(new Model(description, checkpoint).Build(graph, image).Logits);
        return network.Nodes.Sum(node => node.Op.MultiplyAdds([.. node.Inputs.Select(input => input.Shape)]));
    }
}
