using Atrous.Backends.Cpu;
using Atrous.Graph;
using Atrous.Graph.Passes;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Native;
using Atrous.Preprocessing;
using Atrous.Tensors;

namespace Atrous.Quantizing;

/// <summary>What a network's values are like on some pictures, in float32.</summary>
internal sealed class Calibration(Model model, CpuBackend backend, Preprocessor preprocessor)
{
    private readonly Dictionary<string, ChannelStatistics> _statistics = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Histogram> _histograms = new(StringComparer.Ordinal);

    /// <summary>By the values' names.</summary>
    public IReadOnlyDictionary<string, ChannelStatistics> Statistics => _statistics;

    /// <summary>By the values' names; those that share a range share a histogram.</summary>
    public IReadOnlyDictionary<string, Histogram> Histograms => _histograms;

    /// <summary>Finds the ranges, the first of two looks at a picture.</summary>
    public void Measure(Image photo, CancellationToken cancellationToken) => Run(photo, (node, value) =>
    {
        if (!_statistics.TryGetValue(node.Output.Name, out ChannelStatistics? seen))
            _statistics.Add(node.Output.Name, seen = new ChannelStatistics(value.Channels));
        seen.Add(value);
    }, cancellationToken);

    /// <summary>Counts how often numbers lie where, the second look.</summary>
    public void Count(Image photo, CancellationToken cancellationToken) => Run(photo, (node, value) =>
    {
        if (_histograms.TryGetValue(node.Output.Name, out Histogram? histogram))
            histogram.Add(value);
    }, cancellationToken);

    /// <summary>Makes the histograms, between the two looks.</summary>
    /// <returns>The names of the values that share a range, a list for each histogram.</returns>
    public IReadOnlyList<IReadOnlyList<string>> Group(NetworkGraph graph)
    {
        var shared = new SharedRanges(graph);
        var groups = new List<IReadOnlyList<string>>();
        foreach (var group in graph.Nodes.Select(node => node.Output)
            .Where(value => _statistics.ContainsKey(value.Name) && !_histograms.ContainsKey(value.Name))
            .GroupBy(shared.First).ToArray())
        {
            string[] names = [.. group.Select(value => value.Name).Distinct()];
            double low = names.Min(name => _statistics[name].Low), high = names.Max(name => _statistics[name].High);
            if (!double.IsFinite(low) || !double.IsFinite(high))
            {
                throw new ModelException(
                    $"The network's value '{names[0]}' is infinite or no number on these pictures, so that it has no "
                    + "range; are they such pictures as it was trained for?");
            }
            var histogram = new Histogram(low, high);
            foreach (string name in names)
                _histograms.Add(name, histogram);
            groups.Add(names);
        }
        return groups;
    }

    private void Run(Image photo, Action<Node, NativeTensor> observer, CancellationToken cancellationToken)
    {
        using NetworkInput input = preprocessor.Prepare(photo);
        var builder = new GraphBuilder();
        NetworkGraph graph = builder.Build(model.Build(builder, builder.Input("image", input.Tensor.Shape)).Logits);
        using CpuExecutable network = backend.CompileInLayers(graph);
        using var scores = new Tensor(graph.Outputs[0].Shape);
        network.RunObserved([input.Tensor], [scores], (node, value) =>
        {
            if (node.Output.Type == DType.Float32)
                observer(node, value);
        }, cancellationToken);
    }
}
