using Atrous.Backends.Cpu;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Tensors;
using Atrous.Verification;

namespace Atrous.Quantizing;

/// <summary>A network in 8 bits beside itself in float32, on the same pictures.</summary>
internal sealed class Trial : IDisposable
{
    private const int Shapes = 4;

    private readonly Model _model;
    private readonly CpuBackend _bytes;
    private readonly Preprocessor _preprocessor;
    private readonly List<(NetworkInput Input, Tensor Exact)> _probes = [];
    private readonly NetworkCache _exact;
    private readonly Dictionary<string, LabelArray> _labels = [];

    public Trial(Model model, CpuBackend exact, CpuBackend bytes, Preprocessor preprocessor)
    {
        (_model, _bytes, _preprocessor) = (model, bytes, preprocessor);
        Exact = exact;
        _exact = new NetworkCache(model, exact, Shapes, new SegmenterLog(null));
    }

    private CpuBackend Exact { get; }

    /// <summary>Takes a picture on which <see cref="ScoreError"/> compares scores.</summary>
    public void Probe(Image photo, CancellationToken cancellationToken)
    {
        NetworkInput input = _preprocessor.Prepare(photo);
        NetworkGraph graph = GraphOf(_model, input);
        var exact = new Tensor(graph.Outputs[0].Shape);
        _probes.Add((input, exact));
        using CpuExecutable network = (CpuExecutable)Exact.Compile(graph);
        network.Run([input.Tensor], [exact], cancellationToken);
    }

    /// <summary>The mean squared error of the scores of the pictures taken, in variances of the scores.</summary>
    /// <param name="model">The network, perhaps with its channels equalised.</param>
    /// <param name="table">How it is computed in 8 bits.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    public double ScoreError(Model model, QuantizationTable table, CancellationToken cancellationToken)
    {
        double sum = 0;
        foreach ((NetworkInput input, Tensor exact) in _probes)
        {
            NetworkGraph graph = GraphOf(model, input) with { Quantization = table };
            using CpuExecutable network = (CpuExecutable)_bytes.Compile(graph);
            using var scores = new Tensor(exact.Shape);
            network.Run([input.Tensor], [scores], cancellationToken);
            double error = TensorError.Of(scores.Image<float>(0), exact.Image<float>(0)).Rms;
            sum += error * error;
        }
        return sum / _probes.Count;
    }

    /// <summary>The share of a picture's pixels that have the same label in 8 bits.</summary>
    /// <param name="model">The network in 8 bits.</param>
    /// <param name="picture">The path of the picture; its labels in float32 are kept.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    public double Agreement(Model model, string picture, CancellationToken cancellationToken)
    {
        using Image photo = Image.Load(picture);
        if (!_labels.TryGetValue(picture, out LabelArray? exact))
            _labels[picture] = exact = Labels(_model, _exact, photo, cancellationToken);
        using var networks = new NetworkCache(model, _bytes, Shapes, new SegmenterLog(null));
        LabelArray labels = Labels(model, networks, photo, cancellationToken);
        long same = 0;
        for (int i = 0; i < labels.Length; i++)
            same += labels[i] == exact[i] ? 1 : 0;
        return (double)same / labels.Length;
    }

    public void Dispose()
    {
        foreach ((NetworkInput input, Tensor exact) in _probes)
        {
            input.Dispose();
            exact.Dispose();
        }
        _exact.Dispose();
    }

    private static NetworkGraph GraphOf(Model model, NetworkInput input)
    {
        var builder = new GraphBuilder();
        return builder.Build(model.Build(builder, builder.Input("image", input.Tensor.Shape)).Logits);
    }

    private LabelArray Labels(Model model, NetworkCache networks, Image photo, CancellationToken cancellationToken) =>
        new PictureScorer(model, _preprocessor, networks, null, model.Description.Network.Slide)
            .Masks([photo], confidence: false, new RunContext(null, cancellationToken))[0].Labels;
}
