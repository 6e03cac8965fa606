using Atrous.Backends.Cpu;
using Atrous.Exporting;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Preprocessing;
using Atrous.Quantizing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Tests.Exporting;

/// <summary>A model in 8 bits without the trials of <see cref="Quantizer"/>, of which files of it need none.</summary>
internal static class QuickQuantization
{
    /// <summary>Every convolution that may be in 8 bits is, and each range is what the pictures have.</summary>
    /// <param name="model">The checkpoint.</param>
    /// <param name="path">The safetensors file to write.</param>
    /// <param name="pictures">To find the ranges on.</param>
    /// <param name="options">The checkpoint's switches.</param>
    /// <param name="kept">Which of the layers stay float32, by the names of their weights.</param>
    public static void Write(
        string model, string path, IReadOnlyList<Image> pictures, SegmenterOptions? options = null,
        Func<string, bool>? kept = null)
    {
        string folded = $"{path}.folded.safetensors";
        ModelConverter.Convert(model, folded, options, new ConvertOptions { FoldBatchNorm = true });
        using ModelSource source = ModelSource.Open(folded);
        using var backend = new CpuBackend(2);
        using var preprocessor = new Preprocessor(
            source.Description.Preprocessing, backend.Engine, source.Model.MinimumSide);
        var calibration = new Calibration(source.Model, backend, preprocessor);
        foreach (Image picture in pictures)
            calibration.Measure(picture, TestContext.Current.CancellationToken);
        var values = new Dictionary<string, Quantization>();
        foreach (IReadOnlyList<string> group in calibration.Group(
            GraphOf(source.Model, GraphPasses.FusionsForExchange)))
        {
            Histogram histogram = calibration.Histograms[group[0]];
            foreach (string name in group)
                values.Add(name, Quantization.Of(histogram.Low, histogram.High));
        }
        HashSet<string> kernels =
        [
            .. StoreAsUInt8.Candidates(GraphOf(source.Model, GraphPasses.FusionsOfLayers))
                .Select(node => ((Conv2d)node.Op).Kernel.Name).Where(name => kept?.Invoke(name) != true),
        ];
        var facts = new QuantizationFacts
        {
            CalibrationPictures = pictures.Count,
            CheckPictures = 0,
            Agreement = 1,
            WorstAgreement = 1,
            QuantizedLayers = kernels.Count,
            Float32Layers = 0,
        };
        QuantizedFile.Write(
            source.Description, source.Weights, path, new QuantizationTable(values, kernels), facts);
    }

    private static NetworkGraph GraphOf(Model model, IReadOnlyList<GraphPass> fusions)
    {
        var builder = new GraphBuilder { KeepsResizes = true };
        int side = Math.Max(256, model.MinimumSide);
        Value image = builder.Input("image", new Shape(1, side, side, model.Description.Network.InputChannels));
        return GraphPasses.Apply(builder.Build(model.Build(builder, image).Logits), fusions);
    }
}
