using System.Text.Json;
using Atrous.Catalog;
using Atrous.Imaging;
using Atrous.Onnx;
using Atrous.Onnx.Format;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Exporting;

/// <summary>Exported files: sound as files, and computing what Atrous computes.</summary>
public sealed class OnnxExportTests(ITestOutputHelper output)
{
    /// <summary>Set to 1 every golden of the second set is exported, which takes minutes.</summary>
    private const string AllVariable = "ATROUS_TEST_ALL_GOLDENS";

    /// <summary>
    /// A network of each family whose weights are quick to make; most goldens themselves are in shared.
    /// </summary>
    public static TheoryData<string> Families =>
        Environment.GetEnvironmentVariable(AllVariable) == "1"
            // Attention between patches is written for one size, and has tests of its own.
            ? Golden.Where(entry => entry.IsOfSecondSet && !entry.Name.Contains("mobilevit", StringComparison.Ordinal))
            : Chosen;

    private static TheoryData<string> Chosen =>
    [
        "vainf_deeplabv3plus_mobilenet_os16_97x129",
        "arronhzg_resnet50_os16_97x129",
        "jfzhang95_mobilenet_os16_97x129",
        "torchvision_deeplabv3_mobilenet_v3_large_97x129",
        "smp_deeplabv3plus_mobilenet_v2_os16_96x128",
        "smp_deeplabv3plus_mit_b0_os16_96x128",
        "mmseg_deeplabv3_unet_s5-d16_80x96",
        "smp_deeplabv3plus_dpn68_os8_96x128",
        "smp_deeplabv3plus_mobileone_s0_os16_96x128",
        "smp_deeplabv3plus_se_resnet50_os16_96x128",
        "smp_deeplabv3plus_timm-gernet_s_os16_96x128",
        "smp_deeplabv3plus_timm-regnety_016_os16_96x128",
        "smp_deeplabv3plus_timm-res2net50_26w_4s_os8_96x128",
        "smp_deeplabv3plus_timm-resnest50d_os16_96x128",
        "smp_deeplabv3plus_timm-resnest50d_os8_96x128",
        "smp_deeplabv3plus_timm-skresnet18_os16_96x128",
        "smp_deeplabv3plus_tu-resnetblur18_os16_48x64",
        "smp_deeplabv3plus_tu-ecaresnet26t_os16_48x64",
        "smp_deeplabv3plus_tu-mobilenetv4_hybrid_medium_os16_48x64",
        "smp_deeplabv3plus_tu-xception41_os16_96x128",
        "smp_deeplabv3plus_efficientnet-b0_os8_4ch_1class_96x128",
        "smp_deeplabv3plus_timm-tf_efficientnet_lite0_os16_96x128",
        "smp_deeplabv3plus_tu-mobilenetv3_large_100_os16_96x128",
        "smp_deeplabv3plus_tu-mobilenetv4_conv_small_os16_96x128",
        "denseaspp_mobile_os16_96x128",
        "denseaspp_121_os16_96x128",
        "mmseg_deeplabv3plus_r50-d8_noac_97x129",
        "detectron2_deeplabv3plus_R103_os16_pool6x8_96x128",
        "kazuto1011_deeplabv2_resnet101_msc_97x129",
        "yassouali_xception_os8_97x129",
        "smp_deeplabv3plus_tu-convnext_tiny_os16_96x128",
        "adaptsegnet_deeplab_vgg16_97x129",
        "tramac_denseaspp_densenet121_97x129",
        "unimatch_resnet50_os8_97x129",
    ];

    [Theory]
    [InlineData("vainf_deeplabv3plus_mobilenet_os16_97x129")]
    [InlineData("arronhzg_resnet50_os16_97x129")]
    public void The_file_is_a_sound_graph(string golden)
    {
        using var folder = new ExportFolder(golden);
        OnnxExportResult written = OnnxExporter.Export(folder.Model, folder.PathOf("model.onnx"));
        Assert.Null(written.Size);
        Assert.Null(written.FixedBecause);
        byte[] bytes = File.ReadAllBytes(folder.PathOf("model.onnx"));
        Assert.Equal(bytes.Length, written.Bytes);
        ModelProto model = ModelProto.Parser.ParseFrom(bytes);
        Assert.Equal(8, model.IrVersion);
        Assert.Equal(17, Assert.Single(model.OpsetImport).Version);
        Assert.Equal(["batch", "3", "height", "width"], Dimensions(Assert.Single(model.Graph.Input)));
        Assert.Equal(["batch", "5", "height", "width"], Dimensions(Assert.Single(model.Graph.Output)));
        Assert.Equal("output", model.Graph.Output[0].Name);
        CheckOrder(model.Graph);
        Assert.All(model.Graph.Initializer, tensor => Assert.Equal(
            tensor.Dims.Aggregate(tensor.DataType == Initializers.Int64 ? 8L : 4L, (product, size) => product * size),
            tensor.RawData.Length));
        // Every norm is folded.
        Assert.DoesNotContain(model.Graph.Node, node => node.OpType == "BatchNormalization");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Onnx_runtime_computes_the_same_at_any_size_and_batch(string golden)
    {
        using var folder = new ExportFolder(golden);
        OnnxExportResult written = OnnxExporter.Export(folder.Model, folder.PathOf("model.onnx"), folder.Options);
        Assert.Null(written.FixedBecause);
        Shape shape = folder.Golden.InputShape;
        using Tensor first = folder.Golden.Input();
        // A U-Net takes multiples of 16 alone.
        int less = golden.Contains("unet_", StringComparison.Ordinal) ? 16 : 15;
        using Tensor second =
            GeneratedWeights.Input(new Shape(2, shape.Height - less, shape.Width - less, shape.Channels), 1);
        Compare(folder, written, first, second);
    }

    [Fact]
    public void A_fixed_size_is_written_as_such()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        Shape shape = folder.Golden.InputShape;
        OnnxExportResult written = OnnxExporter.Export(
            folder.Model, folder.PathOf("model.onnx"), null,
            new OnnxExportOptions { Size = (shape.Height, shape.Width), Batch = 1 });
        Assert.Equal((shape.Height, shape.Width), written.Size);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.PathOf("model.onnx")));
        Assert.Equal(["1", "3", "97", "129"], Dimensions(model.Graph.Input[0]));
        Assert.DoesNotContain(model.Graph.Node, node => node.OpType == "Shape");
        using Tensor input = folder.Golden.Input();
        Compare(folder, written, input);
    }

    /// <summary>Their patches need even sizes, which they make where there are none.</summary>
    [Theory]
    [InlineData("hf_mobilevit_xx-small_os16_97x129")]
    [InlineData("hf_mobilevitv2_1.0_os16_104x136")]
    [InlineData("smp_deeplabv3plus_tu-mobilevit_s_os16_96x128")]
    public void Attention_between_patches_is_written_for_one_size(string golden)
    {
        using var folder = new ExportFolder(golden);
        Shape shape = folder.Golden.InputShape;
        OnnxExportResult written = OnnxExporter.Export(
            folder.Model, folder.PathOf("model.onnx"), folder.Options,
            new OnnxExportOptions { Size = (shape.Height, shape.Width) });
        using Tensor input = folder.Golden.Input();
        Compare(folder, written, input);
    }

    /// <summary>
    /// One channel a class, as they come from the network; nothing mixes them, which a softmax before the resize would.
    /// </summary>
    [Theory]
    [InlineData("bubbliiiing_mobilenet_os16_97x129")]
    [InlineData("vainf_deeplabv3plus_mobilenet_os16_97x129")]
    public void Several_labels_a_pixel_keep_the_scores_of_each_channel(string golden)
    {
        using var folder = new ExportFolder(golden);
        var switches = new Dictionary<string, string>(folder.Options.Switches)
        {
            ["multilabel"] = "true",
        };
        SegmenterOptions options = folder.Options with { Switches = switches };
        OnnxExportResult written = OnnxExporter.Export(folder.Model, folder.PathOf("model.onnx"), options);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.PathOf("model.onnx")));
        ValueInfoProto output = model.Graph.Output.Single(value => value.Name == "output");
        Assert.Equal(["batch", "5", "height", "width"], Dimensions(output));
        Assert.DoesNotContain(model.Graph.Node, node => node.OpType is "Softmax" or "Sigmoid");
        using Tensor input = folder.Golden.Input();
        Compare(folder, folder.Model, options, written, input);
    }

    /// <summary>The file itself does what the preprocessor does, the order of the colours included.</summary>
    [Theory]
    [InlineData("vainf_deeplabv3plus_mobilenet_os16_97x129")]
    [InlineData("kazuto1011_deeplabv2_resnet101_msc_97x129")]
    public void Pixels_are_normalised_in_the_file(string golden)
    {
        using var folder = new ExportFolder(golden);
        OnnxExporter.Export(
            folder.Model, folder.PathOf("model.onnx"), folder.Options, new OnnxExportOptions { FromPixels = true });
        using var photo = new Image(97, 129, 3);
        new Random(1).NextBytes(photo.Pixels);
        using Segmenter segmenter = Segmenter.Load(folder.Model, folder.Options);
        using var preprocessor = new Preprocessor(
            segmenter.Info.Preprocessing with { Resize = new ResizePolicy.None() }, threads: 1);
        using NetworkInput input = preprocessor.Prepare(photo);
        using NetworkResult expected = segmenter.Infer(input.Tensor);
        (Shape shape, float[] values) = OnnxRuntime.Run(folder.PathOf("model.onnx"), photo)["output"];
        Assert.Equal(expected.Output.Shape, shape);
        float[] logits = Layout.Values(expected.Output);
        output.WriteLine($"{Tolerance.AssertWithin(Tolerance.Network, values, logits, golden)}");
    }

    [Fact]
    public void Metadata_say_what_is_done_around_the_network()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        OnnxExporter.Export(
            DefaultModel.Path, folder.PathOf("model.onnx"), null, new OnnxExportOptions { Size = (96, 128) });
        ModelInfo info = ModelInfo.Read(DefaultModel.Path);
        byte[] file = File.ReadAllBytes(folder.PathOf("model.onnx"));
        Dictionary<string, string> metadata = ModelProto.Parser.ParseFrom(file).MetadataProps
            .ToDictionary(entry => entry.Key, entry => entry.Value);
        Assert.Equal(info.ClassNames, JsonSerializer.Deserialize<string[]>(metadata["class_names"]));
        Assert.Equal(info.Classes, JsonSerializer.Deserialize<string[]>(metadata["colours"])!.Length);
        JsonElement preprocessing = JsonDocument.Parse(metadata["preprocessing"]).RootElement;
        Assert.Equal(info.Preprocessing.Mean, preprocessing.GetProperty("mean").Deserialize<float[]>()!);
        Assert.Equal(info.Preprocessing.Std, preprocessing.GetProperty("std").Deserialize<float[]>()!);
        Assert.Equal("Rgb", preprocessing.GetProperty("order").GetString());
    }

    [Fact]
    public void A_grid_that_follows_the_rounded_size_keeps_the_file_to_one_size()
    {
        using var folder = new ExportFolder("kazuto1011_deeplabv2_resnet101_msc_97x129");
        var options = new SegmenterOptions
        {
            Switches = new Dictionary<string,
            string>
            { ["recompute_scale_factor"] = "true" },
        };
        OnnxExportResult written = OnnxExporter.Export(folder.Model, folder.PathOf("model.onnx"), options);
        Assert.Equal((513, 513), written.Size);
        Assert.Contains("size of 'scale0.5.image'", written.FixedBecause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deeplabv3plus_mobilenetv2_ade20k32")]
    [InlineData("deeplabv3_mobilenetv2_voc")]
    public void TensorFlow_s_padding_is_kept_at_any_size(string name)
    {
        string path = Shared.Require($"models/{name}.safetensors");
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        OnnxExportResult written = OnnxExporter.Export(path, folder.PathOf("model.onnx"));
        Assert.Equal(["logits", "output"], written.Outputs);
        using Tensor even = GeneratedWeights.Input(new Shape(1, 96, 130, 3), 1),
            odd = GeneratedWeights.Input(new Shape(1, 113, 95, 3), 1);
        Compare(folder, path, new SegmenterOptions { Device = "cpu" }, written, even, odd);
    }

    [Fact]
    public void An_output_that_cannot_be_written_leaves_nothing_behind()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        Directory.CreateDirectory(folder.PathOf("model.onnx/taken"));
        Assert.Throws<OutputException>(() => OnnxExporter.Export(folder.Model, folder.PathOf("model.onnx")));
        Assert.Throws<OutputException>(() => OnnxExporter.Export(folder.Model, folder.PathOf("missing/model.onnx")));
        Assert.Equal(2, Directory.GetFileSystemEntries(folder.PathOf("")).Length);
    }

    [Fact]
    public void A_model_beyond_the_format_s_limit_is_refused()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        string path = folder.PathOf("large.safetensors");
        // As many classes as give the last layer more than 2 GiB of weights; zeros that take no room on the disk.
        SparseCheckpoint.Write(path, folder.Golden.Keys.Select(key =>
            key.Name.StartsWith("classifier.classifier.3.", StringComparison.Ordinal)
            ? (key.Name, [2_200_000, .. key.Shape[1..]]) : key));
        var refused = Assert.Throws<UnavailableException>(() => OnnxExporter.Export(path, folder.PathOf("model.onnx")));
        Assert.Contains("2 GiB", refused.Message, StringComparison.Ordinal);
    }

    private void Compare(ExportFolder folder, OnnxExportResult written, params Tensor[] inputs) =>
        Compare(folder, folder.Model, folder.Options, written, inputs);

    private void Compare(
        ExportFolder folder, string model, SegmenterOptions options, OnnxExportResult written, params Tensor[] inputs)
    {
        var runs = OnnxRuntime.Run(folder.PathOf("model.onnx"), inputs);
        using Segmenter segmenter = Segmenter.Load(model, options);
        for (int i = 0; i < inputs.Length; i++)
        {
            using NetworkResult expected = segmenter.Infer(inputs[i]);
            Assert.Equal(written.Outputs.Order(), runs[i].Keys.Order());
            foreach ((string name, (Shape shape, float[] values)) in runs[i])
            {
                Tensor tensor = name == "logits" ? expected.Forward : expected.Output;
                Assert.Equal(tensor.Shape, shape);
                output.WriteLine(
                    $"{name} at {shape}: " +
                    $"{Tolerance.AssertWithin(Tolerance.Network, values, Layout.Values(tensor), name)}");
            }
        }
    }

    internal static string[] Dimensions(ValueInfoProto value) =>
        [.. value.Type.TensorType.Shape.Dim.Select(dim => dim.DimParam.Length > 0 ? dim.DimParam : $"{dim.DimValue}")];

    /// <summary>Every name is made once, before it is read, and every constant is read.</summary>
    internal static void CheckOrder(GraphProto graph)
    {
        var made = new HashSet<string>(
            graph.Initializer.Select(tensor => tensor.Name).Concat(graph.Input.Select(input => input.Name)));
        Assert.Equal(graph.Initializer.Count + graph.Input.Count, made.Count);
        var read = new HashSet<string>();
        foreach (NodeProto node in graph.Node)
        {
            Assert.All(node.Input, input =>
                Assert.True(input.Length == 0 || made.Contains(input), $"{node.Name} reads {input} too early"));
            Assert.All(node.Output, name => Assert.True(made.Add(name), $"{name} is made twice"));
            read.UnionWith(node.Input);
        }
        Assert.All(graph.Initializer, tensor => Assert.Contains(tensor.Name, read));
        Assert.All(graph.Output, value => Assert.Contains(value.Name, made));
    }
}
