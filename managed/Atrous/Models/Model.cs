using Atrous.Graph;
using Atrous.Models.Backbones;
using Atrous.Models.Heads;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>What a network computes from a picture, NHWC.</summary>
/// <param name="Logits">As the last convolution makes them.</param>
/// <param name="Forward">What the original implementation's forward returns.</param>
/// <param name="AtInputSize">Logits at the input's height and width.</param>
internal sealed record NetworkOutputs(Value Logits, Value Forward, Value AtInputSize);

/// <summary>
/// A description and its weights: builds the network's graph for any input size. Safe to use from many threads. The
/// weights must stay open as long as graphs are compiled.
/// </summary>
internal sealed class Model
{
    /// <summary>
    /// Endings of tensors that compute nothing: the counters of batch norms, of counters of operations (thop) and of
    /// synchronised batch norms (CSAIL's).
    /// </summary>
    private static readonly string[] Bookkeeping =
    [
        "num_batches_tracked", ".total_ops", ".total_params", "._running_iter", "._tmp_running_mean",
        "._tmp_running_var",
    ];

    internal const int LargestMinimum = 1024;
    private readonly WeightBinder _weights;
    private readonly Lazy<int> _minimumSide;

    /// <summary>Checks that every weight the network needs is there.</summary>
    /// <exception cref="ModelException">
    /// Weights are missing, or weights of the network itself would stay unread; the message names them.
    /// </exception>
    public Model(ModelDescription description, IWeightSource weights)
    {
        Description = description;
        HashSet<string> needed = Needed(description);
        (Missing, Unexpected) = Compare(description, weights, needed);
        if (Missing.Count > 0)
        {
            string some = string.Join(", ", Missing.Take(3).Select(name => $"'{name}'"));
            throw new ModelException(
                $"{weights.Title} was recognised as {description.Dialect} ({description.Evidence}) but " +
                $"{Missing.Count} of the tensors that {description.Network.Head.Name} with " +
                $"{description.Network.Backbone.Name} needs are missing: {some}" +
                $"{(Missing.Count > 3 ? ", ..." : "")}. Is it complete, and of this dialect?");
        }
        string? left = Unexpected.FirstOrDefault(
            name => description.ReadWhole.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            ?? ForeignModules.Find(weights, needed, Unexpected, description.Network.InputChannels);
        if (left is not null)
        {
            throw new ModelException(
                $"{weights.Title} was recognised as {description.Dialect} ({description.Evidence}) but " +
                $"{description.Network.Head.Name} with {description.Network.Backbone.Name} has no place for its " +
                $"tensor '{left}': its network is one that Atrous does not have.");
        }
        _weights = new WeightBinder(weights, description.Names);
        _minimumSide = new Lazy<int>(() => SmallestSide(description));
    }

    private Model(Model other, ModelDescription description)
    {
        (Description, Missing, Unexpected) = (description, other.Missing, other.Unexpected);
        (_weights, _minimumSide) = (other._weights, other._minimumSide);
    }

    public ModelDescription Description { get; }

    /// <summary>
    /// Tensors that the network needs and the file lacks; empty, since the constructor refuses such files.
    /// </summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>
    /// Tensors that the file has and the network does not use, batch counters and training-only parts left out.
    /// </summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>
    /// The smallest height and width that the network's windows fit into: mostly 1, more where a convolution is
    /// unpadded. The original implementations fail below it.
    /// </summary>
    public int MinimumSide => _minimumSide.Value;

    /// <summary>A height or width, or the next above it that the network takes.</summary>
    public int SideFrom(int side) => Description.Network.Backbone.SideFrom(Math.Max(side, MinimumSide));

    /// <summary>The same network with the same weights, in 8 bits as a table says; null for in no such way.</summary>
    public Model With(QuantizationTable? quantization) =>
        new(this, Description with { Quantization = quantization });

    /// <summary>Appends the network to a graph.</summary>
    /// <param name="graph">Where the nodes go.</param>
    /// <param name="image">Normalised picture, [N, H, W, input channels].</param>
    /// <exception cref="ModelException">
    /// The picture is too small for this network, or a weight has a wrong shape.
    /// </exception>
    public NetworkOutputs Build(GraphBuilder graph, Value image)
    {
        NetworkOutputs outputs = Build(Description.Network, graph, _weights, image);
        graph.Quantization = Description.Quantization;
        int classes = Description.Network.Classes;
        return outputs.Logits.Shape.Channels == classes
            ? outputs
            : throw new ModelException(
                $"{_weights.Title}: the last layer scores {outputs.Logits.Shape.Channels} classes; the model says " +
                $"that it has {classes}.");
    }

    /// <summary>Logits at any height and width, resized on the dialect's grid.</summary>
    public Value ScoresAt(GraphBuilder graph, NetworkOutputs outputs, int height, int width) =>
        outputs.AtInputSize.Shape.Height == height && outputs.AtInputSize.Shape.Width == width
            ? outputs.AtInputSize
            // A cropped result goes on from the crop.
            : graph.Resize(
                "scores",
                Description.Network is { Forward.Cropped: true } or { ResizedTwice: true }
                    ? outputs.AtInputSize : outputs.Logits,
                height, width, Description.Network.FinalSampling);

    /// <summary>Which tensors a network needs and a file lacks, and the other way round.</summary>
    public static (IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected) Compare(
        ModelDescription description, IWeightSource weights) => Compare(description, weights, Needed(description));

    /// <summary>The names of a network's tensors.</summary>
    private static HashSet<string> Needed(ModelDescription description) =>
        // Large enough for every window of every network; nothing is computed.
        [.. TakeInventory(description, LargestMinimum).Names];

    private static (IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected) Compare(
        ModelDescription description, IWeightSource weights, HashSet<string> needed)
    {
        return (
            [.. needed.Where(name => !weights.Weights.ContainsKey(name))],
            [.. weights.Weights.Keys.Where(name => !needed.Contains(name) && !Ignored(name))]);

        bool Ignored(string name) =>
            Array.Exists(Bookkeeping, ending => name.EndsWith(ending, StringComparison.Ordinal))
            || description.TrainingOnly.Concat(description.Duplicates)
                .Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    private static WeightInventory TakeInventory(ModelDescription description, int side)
    {
        var inventory = new WeightInventory(description.Names);
        var graph = new GraphBuilder();
        Value image = graph.Input("image", new Shape(1, side, side, description.Network.InputChannels));
        Build(description.Network, graph, inventory, image);
        return inventory;
    }

    private static int SmallestSide(ModelDescription description)
    {
        if (Fits(1))
            return 1;
        int tooSmall = 1, fits = LargestMinimum;
        while (fits - tooSmall > 1)
        {
            int middle = (tooSmall + fits) / 2;
            if (Fits(middle))
                fits = middle;
            else
                tooSmall = middle;
        }
        return fits;

        bool Fits(int side)
        {
            try
            {
                TakeInventory(description, side);
                return true;
            }
            catch (ModelException)
            {
                return false;
            }
        }
    }

    /// <summary>Appends a network whose weights come from anywhere.</summary>
    internal static NetworkOutputs Build(NetworkSpec spec, GraphBuilder graph, IWeightBinder weights, Value image)
    {
        try
        {
            Value logits = Score(spec, graph, weights, image);
            if (spec.MultiScale is { } multiScale)
                logits =
                    MultiScale.Maximum(multiScale, graph, image, logits, scaled => Score(spec, graph, weights, scaled));
            return Finish(spec, graph, logits, image.Shape);
        }
        // Arithmetic: a self-describing file can ask for windows that step by 0.
        catch (Exception misfit) when (misfit is ArgumentException or ArithmeticException)
        {
            throw new ModelException(
                $"The network cannot be built for a picture of {image.Shape.Height}x{image.Shape.Width} with " +
                $"{image.Shape.Channels} channel(s): {misfit.Message}.", misfit);
        }
    }

    private static Value Score(NetworkSpec spec, GraphBuilder graph, IWeightBinder weights, Value image)
    {
        Features features =
            Backbone.Build(spec.Backbone, new Layers(graph, weights, spec, spec.Backbone.NormEpsilon), image);
        return Head.Build(spec.Head, new Layers(graph, weights, spec, spec.Head.NormEpsilon), features);
    }

    private static NetworkOutputs Finish(NetworkSpec spec, GraphBuilder graph, Value logits, Shape image)
    {
        int factor = spec.Forward.Factor;
        Value forward = factor == 0
            ? graph.Resize("output", logits, image.Height, image.Width, spec.FinalSampling)
            : graph.Resize(
                "forward", logits, logits.Shape.Height * factor, logits.Shape.Width * factor, spec.FinalSampling);
        // Sampling the logits at 1 / factor is the enlarged result without what lies beyond the picture.
        Value output = spec.Forward.Cropped
            ? graph.Resize("output", logits, image.Height, image.Width, spec.FinalSampling, 1f / factor)
            : graph.Resize("output", forward, image.Height, image.Width, spec.FinalSampling);
        return new NetworkOutputs(logits, forward, output);
    }
}
