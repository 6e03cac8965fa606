using Atrous.Backends.Cpu;
using Atrous.Exporting;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Imaging;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Quantizing;

/// <summary>
/// Static quantisation of a trained model: weights become int8 with a step for each output channel, activations uint8
/// with a step and a zero each, found out on some pictures of the model's kind (Jacob et al. 2018, arXiv:1712.05877;
/// Nagel et al. 2021, arXiv:2106.08295). Nothing is trained. The convolutions that read the picture and those that make
/// the scores stay float32, and so do as many others as an asked agreement of the masks takes.
/// </summary>
public sealed class Quantizer
{
    /// <summary>Pictures on which scores are compared, again and again.</summary>
    private const int Probes = 2;

    private readonly QuantizeOptions _options;
    private readonly IProgress<QuantizationProgress>? _progress;
    private readonly CancellationToken _cancellationToken;

    private Quantizer(
        QuantizeOptions options, IProgress<QuantizationProgress>? progress, CancellationToken cancellationToken) =>
        (_options, _progress, _cancellationToken) = (options, progress, cancellationToken);

    /// <summary>Quantises a model and writes it. The file appears whole or not at all.</summary>
    /// <param name="modelPath">
    /// The path of a model, as <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes it.
    /// </param>
    /// <param name="path">The safetensors file to write; replaced where it exists.</param>
    /// <param name="pictures">
    /// Paths of pictures such as the model will see, at least 2; a few dozen are enough. No labels are needed.
    /// </param>
    /// <param name="options">
    /// The output stride, dialect, switches, pre-processing and class names, which the new file keeps, and threads. A
    /// window or augmentation changes nothing here: pictures are measured as a whole.
    /// </param>
    /// <param name="quantize">What is asked of the result; null for the defaults.</param>
    /// <param name="progress">Is told how far it is, on the calling thread; null for nobody.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <exception cref="ModelException">
    /// The checkpoint is broken, of no known dialect, or lacks weights; or it was quantised before.
    /// </exception>
    /// <exception cref="ImageException">A picture cannot be read, or there are fewer than 2.</exception>
    /// <exception cref="UnavailableException">A switch, the dialect or the output stride is not to be had.</exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was written.</exception>
    public static QuantizationReport Quantize(
        string modelPath, string path, IReadOnlyList<string> pictures, SegmenterOptions? options = null,
        QuantizeOptions? quantize = null, IProgress<QuantizationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(pictures);
        options ??= new SegmenterOptions();
        quantize ??= new QuantizeOptions();
        if (!(quantize.Agreement is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(quantize), quantize.Agreement, "An agreement is a share from 0 to 1.");
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(quantize.MostPictures, 2, nameof(quantize));
        // A model of folded norms, whose layers have one name each, is the start of it.
        string folded = $"{path}.{Path.GetRandomFileName()}.partial";
        try
        {
            ConvertResult converted = ModelConverter.Convert(
                modelPath, folded, options, new ConvertOptions { FoldBatchNorm = true });
            if (converted.Model.Quantization is not null)
                throw new ModelException($"'{modelPath}' was quantised before; take the model that it was made of.");
            using ModelSource source = ModelSource.Open(folded);
            return new Quantizer(quantize, progress, cancellationToken)
                .Run(source, converted.Model, path, pictures, options.Threads);
        }
        finally
        {
            if (File.Exists(folded))
                File.Delete(folded);
        }
    }

    private QuantizationReport Run(
        ModelSource source, ModelInfo model, string path, IReadOnlyList<string> pictures, int threads)
    {
        (string[] measured, string[] checkedOn) = Split(pictures);
        using var exact = new CpuBackend(threads);
        using var bytes = new CpuBackend(threads, Precision.Int8);
        using var preprocessor = new Preprocessor(
            source.Description.Preprocessing, exact.Engine, source.Model.MinimumSide);
        var network = new Quantizable(source.Model);
        if (network.Layers.Length == 0)
            throw new ModelException("The network has no convolution between its first and its last to quantise.");

        var calibration = new Calibration(source.Model, exact, preprocessor);
        Each("looking at the pictures", measured, photo => calibration.Measure(photo, _cancellationToken));
        using var trial = new Trial(source.Model, exact, bytes, preprocessor);
        foreach (string probe in measured.Take(Probes))
        {
            using Image photo = Image.Load(probe);
            trial.Probe(photo, _cancellationToken);
        }
        ChannelEqualization? equalized = new EqualizationChoice(
            trial, preprocessor, [.. measured.Take(Probes)], threads, _cancellationToken).Find(
                source, ChannelEqualization.Offers(network.Graph, network.Kernels, calibration.Statistics),
                (tried, of) => Tell("equalising channels", tried, of));
        if (equalized is not null)
        {
            network = new Quantizable(EqualizedWeights.In(source, equalized));
            calibration = new Calibration(network.Model, exact, preprocessor);
            Each("looking once more", measured, photo => calibration.Measure(photo, _cancellationToken));
        }
        IReadOnlyList<IReadOnlyList<string>> groups = network.Group(calibration);
        Each("counting the numbers", measured, photo => calibration.Count(photo, _cancellationToken));

        QuantizationTable table = network.Table(calibration);
        RangeChoice choice = network.Choice(groups, calibration);
        double error = choice.Find(
            () => trial.ScoreError(network.Model, table with { Values = choice.Values() }, _cancellationToken),
            tried => Tell("choosing the ranges", tried, choice.MostTrials));
        table = table with { Values = choice.Values() };

        double[] costs = Costs(network, table, error, trial);
        var masks = new MaskComparison(
            _options.Agreement, checkedOn, measured,
            (model, picture) => trial.Agreement(model, picture, _cancellationToken));
        table = Keep(network, costs, table, trial, masks);
        double[] agreements = masks.Agreements(network.Model.With(table));
        var facts = new QuantizationFacts
        {
            CalibrationPictures = measured.Length,
            CheckPictures = checkedOn.Length,
            Agreement = agreements.Average(),
            WorstAgreement = agreements.Min(),
            QuantizedLayers = table.Kernels.Count,
            Float32Layers = network.Graph.Nodes.Where(node => node.Op is Conv2d).Select(NameOf).Distinct().Count()
                - table.Kernels.Count,
            EqualizedLayers = equalized?.Made.Count ?? 0,
        };
        IWeightSource weights = equalized is null ? source.Weights : new EqualizedWeights(source.Weights, equalized);
        QuantizedFile.Write(source.Description, weights, path, table, facts);
        return new QuantizationReport
        {
            Facts = facts,
            Layers =
            [
                .. network.Layers.Select((node, i) => new QuantizedLayer(
                    Path.ChangeExtension(NameOf(node), null), costs[i], table.Kernels.Contains(NameOf(node)))),
            ],
            Rules = choice.Rules,
            ScoreError = Math.Sqrt(trial.ScoreError(network.Model, table, _cancellationToken)),
            Bytes = new FileInfo(path).Length,
            Model = model,
        };
    }

    /// <summary>Two thirds to measure on and a third to check on, each spread over the whole list.</summary>
    private (string[] Measured, string[] Checked) Split(IReadOnlyList<string> pictures)
    {
        if (pictures.Count < 2)
        {
            throw new ImageException(
                $"Quantising takes at least 2 pictures, one to measure on and one to check on, and {pictures.Count} "
                + "were given; a few dozen of the model's kind are better.");
        }
        int count = Math.Min(pictures.Count, Math.Max(_options.MostPictures, 2));
        string[] taken = [.. Enumerable.Range(0, count).Select(i => pictures[(int)((long)i * pictures.Count / count)])];
        return (
            [.. taken.Where((_, i) => i % 3 != 1)],
            [.. taken.Where((_, i) => i % 3 == 1)]);
    }

    /// <summary>What each layer's 8 bits cost, while all the others have theirs.</summary>
    private double[] Costs(Quantizable network, QuantizationTable table, double error, Trial trial)
    {
        Node[] layers = network.Layers;
        var costs = new double[layers.Length];
        for (int i = 0; i < layers.Length; i++)
        {
            costs[i] = error - trial.ScoreError(network.Model, Without(table, [layers[i]]), _cancellationToken);
            Tell("measuring what each layer costs", i + 1, layers.Length);
        }
        return costs;
    }

    /// <summary>What each layer's 8 bits cost where all the others are float32.</summary>
    private double[] CostsAlone(Quantizable network, QuantizationTable table, Trial trial)
    {
        Node[] layers = network.Layers;
        var costs = new double[layers.Length];
        for (int i = 0; i < layers.Length; i++)
        {
            costs[i] = trial.ScoreError(
                network.Model, Without(table, layers.Where((_, other) => other != i)), _cancellationToken);
            Tell("measuring what each layer costs alone", i + 1, layers.Length);
        }
        return costs;
    }

    /// <summary>Keeps layers in float32 until the masks agree as much as was asked for.</summary>
    private QuantizationTable Keep(
        Quantizable network, double[] costs, QuantizationTable table, Trial trial, MaskComparison masks)
    {
        if (IsEnough([]))
            return Without([]);
        // Where few layers have to stay, what one costs among the others tells which; where most have to, what it costs
        // alone, since a layer's rounding hides in that of others.
        return Without(new KeptLayers(network.Work, IsEnough).Find([costs, CostsAlone(network, table, trial)]));

        bool IsEnough(IReadOnlyList<int> kept)
        {
            bool enough = masks.IsEnough(network.Model.With(Without(kept)));
            Tell("comparing masks", kept.Count, network.Layers.Length);
            return enough;
        }

        QuantizationTable Without(IReadOnlyList<int> kept) =>
            Quantizer.Without(table, kept.Select(i => network.Layers[i]));
    }

    /// <summary>Some layers in float32, whose biases then need no correction.</summary>
    private static QuantizationTable Without(QuantizationTable table, IEnumerable<Node> layers)
    {
        var kernels = table.Kernels.Except(layers.Select(NameOf))
            .ToHashSet(StringComparer.Ordinal);
        return table with
        {
            Kernels = kernels,
            Corrections = table.Corrections.Where(row => kernels.Contains(row.Key)).ToDictionary(),
        };
    }

    private static string NameOf(Node node) => Quantizable.KernelOf(node).Name;

    private void Each(string stage, string[] pictures, Action<Image> look)
    {
        for (int i = 0; i < pictures.Length; i++)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            using Image photo = Image.Load(pictures[i]);
            look(photo);
            Tell(stage, i + 1, pictures.Length);
        }
    }

    private void Tell(string stage, int done, int total) =>
        _progress?.Report(new QuantizationProgress(stage, done, total));
}
