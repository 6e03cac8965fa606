using Atrous.Catalog;
using Atrous.Imaging;
using Atrous.Onnx;
using Atrous.Onnx.Format;
using Atrous.Preprocessing;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Exporting;

/// <summary>Models in 8 bits as ONNX: other runtimes compute them in 8 bits too, and come to the same masks.</summary>
public sealed class QuantizedExportTests(ITestOutputHelper output) : IDisposable
{
    // What both round differs, mostly before sums: half a step here and there.
    private const double SameLabels = 0.99, SameScores = 0.1;

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-export-").FullName;

    private string Quantized => Path.Combine(_folder, "model.int8.safetensors");

    private string Exported => Path.Combine(_folder, "model.onnx");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Onnx_runtime_computes_the_model_in_the_box_in_8_bits()
    {
        QuickQuantization.Write(DefaultModel.Path, Quantized, [Scene(1010), Scene(1013)]);
        OnnxExporter.Export(Quantized, Exported);
        Compare(Scene(1005));

        GraphProto graph = Read(Exported).Graph;
        int convolutions = graph.Node.Count(node => node.OpType == "Conv"), sums = Sums(graph);
        Dictionary<string, int> run = Operators(OnnxRuntime.Optimised(Exported));
        output.WriteLine(string.Join(", ", run.Select(row => $"{row.Key} {row.Value}")));
        // The first and the last stay.
        Assert.Equal(convolutions - 2, run["QLinearConv"]);
        Assert.Equal(2, run.Where(row => row.Key is "Conv" or "FusedConv").Sum(row => row.Value));
        Assert.True(sums > 0 && run["QLinearAdd"] == sums, $"{sums} sums");
    }

    [Fact]
    public void A_published_network_has_the_same_masks_at_one_size()
    {
        const string name = "deeplabv3plus_mobilenetv2_ade20k32";
        string model = Shared.Require($"models/{name}.safetensors");
        Image Picture(int number) => Image.Load(Shared.Require($"models/{name}/ADE_val_{number:00000000}.jpg"));
        QuickQuantization.Write(model, Quantized, [Picture(1), Picture(2), Picture(4)]);
        using Image photo = Picture(3);
        Shape shape = Compare(photo, new OnnxExportOptions { Batch = 1 });
        Assert.True(shape.Height > 300);
    }

    /// <summary>A layer that stayed float32 has its own weights, which onnxruntime leaves alone.</summary>
    [Fact]
    public void What_stays_float32_is_float32_elsewhere()
    {
        string[] kept = ["decoder.fuse1.pointwise.weight", "aspp.branch0.weight", "backbone.stage2.1.conv1.weight"];
        QuickQuantization.Write(DefaultModel.Path, Quantized, [Scene(1010)], kept: kept.Contains);
        OnnxExporter.Export(Quantized, Exported);
        GraphProto graph = Read(Exported).Graph;
        int convolutions = graph.Node.Count(node => node.OpType == "Conv");
        Assert.Equal(
            convolutions - kept.Length - 2,
            graph.Initializer.Count(tensor => tensor.DataType == Initializers.SByte && tensor.Dims.Count == 4));
        Assert.Equal(
            convolutions - kept.Length - 2, Operators(OnnxRuntime.Optimised(Exported))["QLinearConv"]);
        Compare(Scene(1005));
    }

    /// <summary>
    /// Networks of random weights: dense connections whose ranges are shared, curved activations, gates, groups.
    /// </summary>
    [Theory]
    [InlineData("vainf_deeplabv3plus_mobilenet_os16_97x129")]
    [InlineData("arronhzg_resnet50_os16_97x129")]
    [InlineData("denseaspp_mobile_os16_96x128")]
    [InlineData("torchvision_deeplabv3_mobilenet_v3_large_97x129")]
    [InlineData("smp_deeplabv3plus_efficientnet-b0_os8_4ch_1class_96x128")]
    [InlineData("smp_deeplabv3plus_timm-regnety_016_os16_96x128")]
    public void Families_of_networks_have_the_same_scores(string golden)
    {
        using var folder = new ExportFolder(golden);
        Shape shape = folder.Golden.InputShape;
        Image[] noise = [.. Enumerable.Range(1, 3).Select(seed => Noise(shape, seed))];
        QuickQuantization.Write(folder.Model, Quantized, noise[..2], folder.Options);
        OnnxExporter.Export(Quantized, Exported);
        Dictionary<string, int> run = Operators(OnnxRuntime.Optimised(Exported));
        output.WriteLine(string.Join(", ", run.Select(row => $"{row.Key} {row.Value}")));
        int bytes = ModelInfo.Read(Quantized).Quantization!.QuantizedLayers;
        Assert.InRange(run["QLinearConv"], bytes, int.MaxValue);
        using Preprocessor preprocessor = new(ModelInfo.Read(Quantized).Preprocessing, threads: 1);
        using NetworkInput input = preprocessor.Prepare(noise[2]);
        (Difference ours, Difference theirs, _) = Differences(input.Tensor);
        output.WriteLine($"onnxruntime: {theirs}\nAtrous: {ours}");
        // About as far from float32 as ours: it rounds more often, before every sum and curve.
        Assert.InRange(theirs.RelativeRms, 0, 2 * ours.RelativeRms + 0.02);
    }

    /// <summary>A channel of tiny weights, one of none, and a usual one.</summary>
    [Fact]
    public void Every_bias_is_a_whole_number_near_to_what_it_was()
    {
        const float step = 0.02f;
        float[] bias = [0.75f, -0.3f, 0.001f, 0];
        QuantizedKernel kernel = QuantizedKernel.Of([1e-20f, -3e-20f, 0, 0, 0.5f, -0.25f, 0, 0], bias.Length);
        WholeBias whole = WholeBias.Of(kernel, bias, step);
        for (int o = 0; o < bias.Length; o++)
        {
            Assert.Equal(bias[o], whole.Values[o] * (double)whole.Steps[o], 0.5 * step * 0.5 / 127);
            Assert.Equal(step * whole.Kernel.Steps[o], whole.Steps[o]);
        }
        Assert.Equal([0, 0, 0, 0, 127, -64, 0, 0], whole.Kernel.Values);
        Assert.Equal(kernel.Steps[2..], whole.Kernel.Steps[2..]);
    }

    private Shape Compare(Image photo, OnnxExportOptions? export = null)
    {
        using Preprocessor preprocessor = new(ModelInfo.Read(Quantized).Preprocessing, threads: 1);
        using NetworkInput input = preprocessor.Prepare(photo);
        Shape shape = input.Tensor.Shape;
        if (export is not null)
            OnnxExporter.Export(Quantized, Exported, null, export with { Size = (shape.Height, shape.Width) });
        (Difference ours, Difference theirs, (Difference between, double labels)) = Differences(input.Tensor);
        output.WriteLine(
            $"labels agree on {labels:P2} of the pixels, scores: {between}\n" +
            $"from float32: onnxruntime {theirs.RelativeRms:0.0000}, Atrous {ours.RelativeRms:0.0000} (rms/std)");
        Assert.InRange(labels, SameLabels, 1);
        Assert.InRange(between.RelativeRms, 0, SameScores);
        return shape;
    }

    /// <summary>Both runtimes beside the same weights computed in float32, and beside each other.</summary>
    private (Difference Ours, Difference Theirs, (Difference Scores, double Labels) Between) Differences(Tensor input)
    {
        var (shape, theirs) = OnnxRuntime.Run(Exported, input)[0]["output"];
        float[] ours = Scores(Precision.Int8, input), exact = Scores(Precision.Fp32, input);
        Assert.Equal(exact.Length, theirs.Length);
        int[] ourLabels = Labels(ours, shape.Channels), theirLabels = Labels(theirs, shape.Channels);
        double same = ourLabels.Zip(theirLabels).Count(pair => pair.First == pair.Second) / (double)ourLabels.Length;
        return (
            Tolerance.Measure(ours, exact), Tolerance.Measure(theirs, exact), (Tolerance.Measure(theirs, ours), same));
    }

    private float[] Scores(Precision precision, Tensor input)
    {
        using Segmenter segmenter = Segmenter.Load(
            Quantized, new SegmenterOptions { Device = "cpu", Threads = 2, Precision = precision });
        using NetworkResult result = segmenter.Infer(input);
        return Layout.Values(result.Output);
    }

    private static int[] Labels(float[] scores, int classes) =>
        [.. scores.Chunk(classes).Select(pixel => Array.IndexOf(pixel, pixel.Max()))];

    private static int Sums(GraphProto graph) => graph.Node.Count(node => node.OpType == "Add");

    private static Dictionary<string, int> Operators(ModelProto model) =>
        model.Graph.Node.GroupBy(node => node.OpType).ToDictionary(group => group.Key, group => group.Count());

    private static ModelProto Read(string path) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));

    private static Image Scene(int number) =>
        Image.Load(Repository.PathOf($"samples/scenes/{number}.jpg"));

    private static Image Noise(Shape shape, int seed)
    {
        var picture = new Image(shape.Height, shape.Width, shape.Channels);
        new Random(seed).NextBytes(picture.Pixels);
        return picture;
    }
}
