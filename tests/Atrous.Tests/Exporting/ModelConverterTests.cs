using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Dialects;
using Atrous.Exporting;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Exporting;

/// <summary>Converted files compute what the originals compute.</summary>
public sealed class ModelConverterTests(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(OnnxExportTests.Families), MemberType = typeof(OnnxExportTests))]
    public void A_converted_model_gives_the_same_logits(string golden)
    {
        using var folder = new ExportFolder(golden);
        using Tensor input = folder.Golden.Input();
        float[] expected = Logits(folder.Model, input, folder.Options);
        ModelConverter.Convert(folder.Model, folder.PathOf("plain.safetensors"), folder.Options);
        Assert.Equal(expected, Logits(folder.PathOf("plain.safetensors"), input));
        ConvertResult folded = ModelConverter.Convert(
            folder.Model, folder.PathOf("folded.safetensors"), folder.Options,
            new ConvertOptions { FoldBatchNorm = true });
        Assert.Equal(new FileInfo(folder.PathOf("folded.safetensors")).Length, folded.Bytes);
        // One more rounding of each weight: as much as the noise between two float32 runs of the original, several
        // times over.
        double limit = Math.Max(1e-5, 4 * folder.Golden.Noise);
        output.WriteLine(
            $"{Tolerance.AssertWithin(limit, Logits(folder.PathOf("folded.safetensors"), input), expected, "folded")}");
        ModelInfo before = ModelInfo.Read(folder.Model, folder.Options),
            after = ModelInfo.Read(folder.PathOf("folded.safetensors"));
        Assert.Equal(
            (before.Architecture, before.Backbone, before.OutputStride, before.Classes, before.InputChannels,
            before.MultiplyAdds),
            (after.Architecture, after.Backbone, after.OutputStride, after.Classes, after.InputChannels,
                after.MultiplyAdds));
        Assert.Equal(before.Preprocessing, after.Preprocessing);
        Assert.Equal("atrous", after.Dialect);
        Assert.Empty(after.Unexpected);
        Assert.DoesNotContain(after.Switches, row => row.Name != DialectChoice.Threshold);
    }

    [Theory]
    [InlineData(DType.Float16, 0.99)]
    [InlineData(DType.BFloat16, 0.95)]
    public void Half_precision_keeps_the_labels(DType type, double agreement)
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        ModelConverter.Convert(
            folder.Model, folder.PathOf("half.safetensors"), null, new ConvertOptions { Type = type });
        Assert.Equal(0.5,
            (double)new FileInfo(folder.PathOf("half.safetensors")).Length / new FileInfo(folder.Model).Length, 0.01);
        using Tensor input = folder.Golden.Input();
        int[] expected = Labels(Logits(folder.Model, input), 5),
            actual = Labels(Logits(folder.PathOf("half.safetensors"), input), 5);
        double same = expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length;
        output.WriteLine($"{same:P2} of the labels are the same");
        Assert.InRange(same, agreement, 1);
    }

    [Fact]
    public void A_first_version_file_converts_to_the_second()
    {
        string path = Shared.Require("models/deeplabv3plus_mobilenetv2_ade20k32.safetensors");
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        ModelConverter.Convert(path, folder.PathOf("second.safetensors"));
        using Tensor input = GeneratedWeights.Input(new Shape(1, 96, 130, 3), 1);
        Assert.Equal(Logits(path, input), Logits(folder.PathOf("second.safetensors"), input));
        ModelInfo before = ModelInfo.Read(path), after = ModelInfo.Read(folder.PathOf("second.safetensors"));
        Assert.Equal(before.ClassNames, after.ClassNames);
        Assert.Equal(before.Preprocessing, after.Preprocessing);
        ModelConverter.Convert(folder.PathOf("second.safetensors"), folder.PathOf("third.safetensors"));
        Assert.Equal(Logits(path, input), Logits(folder.PathOf("third.safetensors"), input));
    }

    [Fact]
    public void What_float16_cannot_hold_is_refused_by_name()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        const string name = "classifier.classifier.3.bias";
        using (GeneratedWeights weights = folder.Golden.Weights())
        {
            WeightInfo[] tensors = [.. weights.Weights.Values];
            using var writer = new SafetensorsWriter(folder.PathOf("large.safetensors"), tensors);
            foreach (WeightInfo tensor in tensors)
            {
                var values = new float[tensor.Elements];
                weights.Read(tensor.Name, values);
                if (tensor.Name == name)
                    values[1] = -70000;
                writer.Write(tensor.Name, values);
            }
            writer.Complete();
        }
        var refused = Assert.Throws<ModelException>(() => ModelConverter.Convert(
            folder.PathOf("large.safetensors"), folder.PathOf("half.safetensors"), null,
            new ConvertOptions { Type = DType.Float16 }));
        Assert.Contains("'classifier.bias' has the value -70000", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["large.safetensors", "model.safetensors"], Directory.GetFiles(folder.PathOf(""))
            .Select(Path.GetFileName).Order());
        ModelConverter.Convert(
            folder.PathOf("large.safetensors"), folder.PathOf("half.safetensors"), null,
            new ConvertOptions { Type = DType.BFloat16 });
    }

    [Fact]
    public void The_output_stride_is_kept_and_no_other_is_to_be_had()
    {
        using var folder = new ExportFolder("vainf_deeplabv3plus_mobilenet_os16_97x129");
        string path = folder.PathOf("stride8.safetensors");
        ModelConverter.Convert(folder.Model, path, new SegmenterOptions { OutputStride = 8 });
        Assert.Equal(8, ModelInfo.Read(path).OutputStride);
        using Tensor input = folder.Golden.Input();
        Assert.Equal(Logits(folder.Model, input, new SegmenterOptions { OutputStride = 8 }), Logits(path, input));
        Assert.Throws<UnavailableException>(() => ModelInfo.Read(path, new SegmenterOptions { OutputStride = 16 }));
    }

    private static float[] Logits(string path, Tensor input, SegmenterOptions? options = null)
    {
        using Segmenter segmenter = Segmenter.Load(path, (options ?? new SegmenterOptions()) with { Device = "cpu" });
        using NetworkResult result = segmenter.Infer(input);
        return Layout.Values(result.Output);
    }

    private static int[] Labels(float[] logits, int classes) =>
        [.. logits.Chunk(classes).Select(scores => Array.IndexOf(scores, scores.Max()))];
}
