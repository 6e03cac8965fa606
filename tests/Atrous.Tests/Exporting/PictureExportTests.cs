using Atrous.Catalog;
using Atrous.Imaging;
using Atrous.Onnx;
using Atrous.Onnx.Format;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;
using Google.Protobuf;

namespace Atrous.Tests.Exporting;

/// <summary>Exported files that take pictures of any size as bytes, and resize them by the model's own rule.</summary>
public sealed class PictureExportTests(ITestOutputHelper output)
{
    /// <summary>
    /// At least so many labels are ours: ONNX Runtime resizes bytes as Pillow does, and floats round in another order.
    /// </summary>
    private const double Same = 0.999;

    [Theory]
    [InlineData(720, 1360)]
    [InlineData(301, 200)]
    [InlineData(64, 1500)]
    public void The_network_in_the_box_labels_photos_as_we_do(int height, int width)
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        OnnxExportResult written = OnnxExporter.Export(
            DefaultModel.Path, folder.PathOf("model.onnx"), null, new OnnxExportOptions { FromPictures = true });
        Assert.Null(written.Size);
        Assert.Null(written.FixedBecause);
        Assert.Equal(["output"], written.Outputs);
        using Image street = Image.Load(Repository.PathOf("samples/street.png"));
        using Image rgb = street.WithChannels(3);
        using Image photo = rgb.Crop(0, 0, Math.Min(height, rgb.Height), Math.Min(width, rgb.Width));
        using Segmenter segmenter = Segmenter.LoadDefault(new SegmenterOptions { Device = "cpu" });
        AssertSame(segmenter, folder.PathOf("model.onnx"), photo);
    }

    [Theory]
    [InlineData("deeplabv3_mobilenetv2_voc", 500, 375)]
    [InlineData("deeplabv3plus_mobilenetv2_ade20k32", 400, 640)]
    public void Published_networks_label_photos_as_we_do(string name, int height, int width)
    {
        string path = Shared.Require($"models/{name}.safetensors");
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        OnnxExporter.Export(
            path, folder.PathOf("model.onnx"), null, new OnnxExportOptions { FromPictures = true });
        using Image street = Image.Load(Repository.PathOf("samples/street.png"));
        using Image rgb = street.WithChannels(3);
        using Image photo = rgb.Crop(100, 200, height, width);
        using Segmenter segmenter = Segmenter.Load(path, new SegmenterOptions { Device = "cpu" });
        AssertSame(segmenter, folder.PathOf("model.onnx"), photo);
    }

    /// <summary>Every rule of size, with pictures that become larger and smaller, upright and lying.</summary>
    public static TheoryData<string> Rules =>
    [
        "none", "long 64", "long 64 shrink", "short 48", "short 48 90", "within 90 60", "stretch 50 70",
        "letterbox 80 112 128", "none x32", "long 75 x16", "long 75 x16 stretched", "long 70 bicubic", "long 70 plain",
        "long 64 bgr", "letterbox 75 112 0 x16",
    ];

    /// <summary>
    /// What the network sees is ours but for rounding: by 1 of 255 at one byte of 200, and by 1 or 2 at one of 10 where
    /// a picture becomes half as large again, whose sums lie between two bytes. The network's weights are by chance,
    /// and make more of that than those of trained networks.
    /// </summary>
    [Theory]
    [MemberData(nameof(Rules))]
    public void Pictures_become_what_the_model_s_rule_makes_of_them(string rule)
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        PreprocessingSpec spec = SpecOf(rule);
        var options = new SegmenterOptions { Device = "cpu", Preprocessing = spec };
        string path = folder.PathOf("model.onnx");
        OnnxExporter.Export(folder.Model, path, options, new OnnxExportOptions { FromPictures = true });
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        model.Graph.Output.Add(Nodes.Tensor(Initializers.Float32, "input", "batch", 3, "rows", "columns"));
        using (FileStream file = File.Create(path))
            model.WriteTo(file);
        using Segmenter segmenter = Segmenter.Load(folder.Model, options);
        using var preprocessor = new Preprocessor(spec, threads: 1);
        foreach ((int height, int width) in ((int, int)[])[(97, 129), (130, 61), (40, 40), (33, 150)])
        {
            using Image photo = Waves(height, width);
            using NetworkInput expected = preprocessor.Prepare(photo);
            (Shape shape, float[] values) = OnnxRuntime.Run(path, photo)["input"];
            Assert.Equal(expected.Tensor.Shape, shape);
            float[] ours = Layout.Values(expected.Tensor);
            int others = 0;
            for (int i = 0; i < ours.Length; i++)
            {
                // In bytes.
                float apart = MathF.Abs(ours[i] - values[i]) * spec.Std[i % 3] / spec.Scale;
                Assert.InRange(apart, 0, 2.01f);
                others += apart > 0.5f ? 1 : 0;
            }
            Assert.InRange(others, 0, ours.Length / 10);
            output.WriteLine($"{rule}, {height} x {width}: {(double)others / ours.Length:P2} of the bytes are others");
            AssertSame(segmenter, path, photo, least: 0.99);
        }
    }

    [Fact]
    public void Several_pictures_run_together()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        OnnxExporter.Export(
            folder.Model, folder.PathOf("model.onnx"), new SegmenterOptions { Preprocessing = SpecOf("long 64") },
            new OnnxExportOptions { FromPictures = true });
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.PathOf("model.onnx")));
        Assert.Equal(18, Assert.Single(model.OpsetImport).Version);
        Assert.Equal(
            ["batch", "picture_height", "picture_width", "3"],
            OnnxExportTests.Dimensions(Assert.Single(model.Graph.Input)));
        Assert.Equal(
            ["batch", "5", "picture_height", "picture_width"],
            OnnxExportTests.Dimensions(Assert.Single(model.Graph.Output)));
        OnnxExportTests.CheckOrder(model.Graph);
        using var pair = new Image(2 * 90, 75, 3);
        new Random(2).NextBytes(pair.Pixels);
        (Shape shape, float[] both) = OnnxRuntime.Run(folder.PathOf("model.onnx"), pair, batch: 2)["output"];
        Assert.Equal(new Shape(2, 90, 75, 5), shape);
        for (int i = 0; i < 2; i++)
        {
            using Image one = pair.Crop(90 * i, 0, 90, 75);
            float[] alone = OnnxRuntime.Run(folder.PathOf("model.onnx"), one)["output"].Values;
            float[] together = both[(i * alone.Length)..((i + 1) * alone.Length)];
            Tolerance.AssertWithin(Tolerance.Network, together, alone, $"picture {i}");
        }
    }

    [Fact]
    public void A_network_for_one_size_takes_pictures_that_are_brought_to_it()
    {
        using var folder = new ExportFolder("hf_mobilevit_xx-small_os16_97x129");
        SegmenterOptions options = folder.Options with { Preprocessing = SpecOf("stretch 64 96") };
        OnnxExporter.Export(
            folder.Model, folder.PathOf("model.onnx"), options, new OnnxExportOptions { FromPictures = true });
        using Segmenter segmenter = Segmenter.Load(folder.Model, options with { Device = "cpu" });
        using Image photo = Waves(80, 70);
        AssertSame(segmenter, folder.PathOf("model.onnx"), photo);
        UnavailableException refused = Assert.Throws<UnavailableException>(() => OnnxExporter.Export(
            folder.Model, folder.PathOf("other.onnx"), options with { Preprocessing = SpecOf("long 64") },
            new OnnxExportOptions { FromPictures = true }));
        Assert.Contains("the model's pictures have several (long side 64)", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OnnxExporter.Export(
            folder.Model, folder.PathOf("other.onnx"), options,
            new OnnxExportOptions { FromPictures = true, Size = (64, 64) }));
    }

    private static PreprocessingSpec SpecOf(string rule)
    {
        string[] words = rule.Split(' ');
        int[] numbers = [.. words.Where(word => int.TryParse(word, out _)).Select(int.Parse)];
        ResizePolicy policy = words[0] switch
        {
            "none" => new ResizePolicy.None(),
            "long" => new ResizePolicy.LongSide(numbers[0], OnlyShrink: words.Contains("shrink")),
            "short" => new ResizePolicy.ShortSide(numbers[0], numbers.Length > 1 ? numbers[1] : null),
            "within" => new ResizePolicy.Within(numbers[0], numbers[1]),
            "stretch" => new ResizePolicy.Stretch(numbers[0], numbers[1]),
            _ => new ResizePolicy.Letterbox(numbers[0], numbers[1], (byte)numbers[2]),
        };
        return PreprocessingSpec.ImageNet with
        {
            Resize = policy,
            Order = words.Contains("bgr") ? ChannelOrder.Bgr : ChannelOrder.Rgb,
            Filter = words.Contains("bicubic") ? ResizeFilter.Bicubic
                : words.Contains("plain") ? ResizeFilter.BilinearPlain : ResizeFilter.Bilinear,
            SizeMultiple = words.FirstOrDefault(word => word[0] == 'x') is { } multiple
                ? int.Parse(multiple[1..]) : null,
            StretchesToMultiple = words.Contains("stretched"),
        };
    }

    private static Image Waves(int height, int width)
    {
        var photo = new Image(height, width, 3);
        Span<byte> pixels = photo.Pixels;
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(128 + 100 * Math.Sin(i / 3 % width / 9.0 + i % 3) * Math.Cos(i / 3 / width / 7.0));
        return photo;
    }

    /// <summary>The largest score of each pixel is of the class that our mask has there.</summary>
    private void AssertSame(Segmenter segmenter, string onnx, Image photo, double least = Same)
    {
        (Shape shape, float[] scores) = OnnxRuntime.Run(onnx, photo)["output"];
        Segmentation mask = segmenter.Segment(photo);
        Assert.Equal((mask.Height, mask.Width, mask.Classes), (shape.Height, shape.Width, shape.Channels));
        int same = 0;
        for (int i = 0; i < mask.Labels.Length; i++)
        {
            ReadOnlySpan<float> pixel = scores.AsSpan(i * shape.Channels, shape.Channels);
            same += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(pixel) == mask.Labels[i] ? 1 : 0;
        }
        double share = (double)same / mask.Labels.Length;
        output.WriteLine($"{photo.Height} x {photo.Width}: {share:P3} of the labels are the same");
        Assert.True(share >= least, $"{photo.Height} x {photo.Width}: {share:P3} of the labels are the same");
    }
}
