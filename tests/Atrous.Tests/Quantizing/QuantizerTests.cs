using System.Text;
using System.Text.RegularExpressions;
using Atrous.Catalog;
using Atrous.Checkpoints;
using Atrous.Exporting;
using Atrous.Imaging;
using Atrous.Quantizing;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Quantizing;

/// <summary>The model in the box in 8 bits, on parts of the sample picture.</summary>
public sealed class QuantizerTests(QuantizedBox box, ITestOutputHelper output) : IClassFixture<QuantizedBox>
{
    [Fact]
    public void Masks_stay_what_they_are()
    {
        QuantizationReport report = box.Report;
        output.WriteLine(
            $"{report.Facts}, score error {report.ScoreError:g3}, "
            + string.Join(", ", report.Rules.Select(rule => $"{rule.Key} {rule.Value}")));
        Assert.InRange(report.Facts.Agreement, 0.97, 1);
        Assert.True(report.Facts.QuantizedLayers > 10 * report.Facts.Float32Layers);
        Assert.Equal(report.Layers.Count(layer => layer.IsQuantized), report.Facts.QuantizedLayers);
        using Segmenter exact = Segmenter.LoadDefault(new() { Device = "cpu" });
        using Segmenter bytes = Segmenter.Load(box.File, new() { Device = "cpu" });
        Assert.Equal((Precision.Fp32, Precision.Int8), (exact.Precision, bytes.Precision));
        Assert.Equal(report.Facts, bytes.Info.Quantization);
        Assert.Equal(exact.Info.ClassNames, bytes.Info.ClassNames);
        using Image photo = Image.Load(Repository.PathOf("samples/street.png"));
        ushort[] expected = exact.Segment(photo).Labels.ToArray(), actual = bytes.Segment(photo).Labels.ToArray();
        double same = expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length;
        output.WriteLine($"{same:P2} of the whole picture's labels are the same");
        Assert.InRange(same, 0.97, 1);
    }

    [Fact]
    public void The_file_is_small_and_its_rounding_is_final()
    {
        using Checkpoint file = Checkpoint.Open(box.File);
        Assert.NotEmpty(file.InBytes);
        foreach (string name in file.InBytes)
        {
            var kernel = new Weight(file, file.Weights[name]);
            float[] once = kernel.ToArray();
            QuantizedKernel again = QuantizedKernel.Of(once, kernel.Shape[0]);
            int size = once.Length / kernel.Shape[0];
            // The product of what is found again is what was read, to one rounding of the step.
            Assert.All(once.Select((value, i) => (value, i)), row => Assert.Equal(
                row.value, again.Values[row.i] * again.Steps[row.i / size], Math.Abs(row.value) * 1e-6));
        }
        long parameters = file.Weights.Values.Sum(weight => weight.Elements);
        Assert.InRange(new FileInfo(box.File).Length, parameters, 1.5 * parameters);
        Assert.DoesNotContain(
            file.Weights.Keys, name => name.EndsWith(QuantizedTensors.Step, StringComparison.Ordinal));
    }

    [Fact]
    public void In_float32_it_is_the_rounded_weights()
    {
        using Segmenter exact = Segmenter.LoadDefault(new() { Device = "cpu" });
        using Segmenter rounded = Segmenter.Load(box.File, new() { Device = "cpu", Precision = Precision.Fp32 });
        Assert.Equal(Precision.Fp32, rounded.Precision);
        using Image photo = Image.Load(box.Pictures[0]);
        ushort[] expected = exact.Segment(photo).Labels.ToArray(), actual = rounded.Segment(photo).Labels.ToArray();
        Assert.InRange(
            expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length, 0.97, 1);
    }

    [Fact]
    public void The_reference_computes_the_same_network()
    {
        using Segmenter bytes = Segmenter.Load(box.File, new() { Device = "cpu" });
        using Segmenter reference = Segmenter.Load(box.File, new() { Device = "reference" });
        Assert.Equal(Precision.Int8, reference.Precision);
        using Image photo = Image.Load(box.Pictures[0]);
        using Image small = photo.Crop(90, 120, 48, 64);
        ushort[] expected = reference.Segment(small).Labels.ToArray(), actual = bytes.Segment(small).Labels.ToArray();
        // The first convolution is float32's, whose last bit may decide a tie of bytes.
        Assert.InRange(
            expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length, 0.98, 1);
    }

    [Fact]
    public void More_agreement_keeps_more_in_float32()
    {
        var stages = new Stages();
        QuantizationReport strict = Quantizer.Quantize(
            DefaultModel.Existing(), box.PathOf("strict.safetensors"), box.Pictures, null,
            new QuantizeOptions { Agreement = (1 + box.Report.Facts.Agreement) / 2 }, stages);
        // Both orders are tried, and of the layers' costs among the others alone some dear one would be left.
        Assert.Contains("measuring what each layer costs alone", stages.Names);
        Assert.Contains(strict.Layers, layer => layer.IsQuantized);
        Assert.True(strict.Facts.Float32Layers > box.Report.Facts.Float32Layers);
        string[] kept = [.. strict.Layers.Where(layer => !layer.IsQuantized).Select(layer => layer.Name)];
        Assert.NotEmpty(kept);
        // And those are what they were, biases too, but for the powers of two of channels that were equalised.
        string folded = box.PathOf("folded.safetensors");
        ModelConverter.Convert(
            DefaultModel.Existing(), folded, convert: new ConvertOptions { FoldBatchNorm = true });
        using Checkpoint before = Checkpoint.Open(folded), after = Checkpoint.Open(box.PathOf("strict.safetensors"));
        foreach (string name in kept.SelectMany(layer => new[] { $"{layer}.weight", $"{layer}.bias" }))
        {
            float[] was = new Weight(before, before.Weights[name]).ToArray();
            float[] made = new Weight(after, after.Weights[name]).ToArray();
            Assert.DoesNotContain(was.Zip(made), pair =>
                pair.First != MathF.ScaleB(pair.Second, MathF.ILogB(pair.First) - MathF.ILogB(pair.Second)));
        }
        string corrected = strict.Layers.First(layer => layer.IsQuantized).Name + ".bias";
        Assert.NotEqual(
            new Weight(before, before.Weights[corrected]).ToArray(),
            new Weight(after, after.Weights[corrected]).ToArray());
    }

    [Fact]
    public void What_was_not_quantised_is_not_computed_so()
    {
        var e = Assert.Throws<UnavailableException>(
            () => Segmenter.LoadDefault(new() { Device = "cpu", Precision = Precision.Int8 }));
        Assert.Contains("quantise", e.Message);
        Assert.Equal(Remedy.Quantize, e.Remedy);
    }

    [Fact]
    public void Twice_is_refused_and_one_picture_is_too_few()
    {
        string path = box.PathOf("twice.safetensors");
        Assert.Contains(
            "quantised before",
            Assert.Throws<ModelException>(() => Quantizer.Quantize(box.File, path, box.Pictures)).Message);
        Assert.Contains(
            "2 pictures",
            Assert.Throws<ImageException>(
                () => Quantizer.Quantize(DefaultModel.Existing(), path, [box.Pictures[0]])).Message);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData(99, 48)]
    [InlineData(double.NaN, 48)]
    [InlineData(0.99, 1)]
    public void What_cannot_be_asked_for_is_refused_at_once(double agreement, int pictures) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Quantizer.Quantize(
            DefaultModel.Existing(), box.PathOf("odd.safetensors"), box.Pictures, null,
            new QuantizeOptions { Agreement = agreement, MostPictures = pictures }));

    [Theory]
    [InlineData("1e-40")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1e30")]
    public void A_step_that_no_network_has_is_refused(string step)
    {
        string path = box.PathOf("hostile.safetensors");
        byte[] bytes = File.ReadAllBytes(box.File);
        int length = BitConverter.ToInt32(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length);
        string changed = Regex.Replace(
            header, """(steps\\":\{\\"[^"\\]+\\":)[0-9.eE+-]+""", match => match.Groups[1].Value + step);
        Assert.NotEqual(header, changed);
        byte[] text = Encoding.UTF8.GetBytes(changed);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, .. bytes.AsSpan(8 + length)]);
        Assert.Contains("step", Assert.Throws<ModelException>(() => ModelInfo.Read(path)).Message);
    }

    [Fact]
    public void Cancelled_it_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        string path = box.PathOf("cancelled.safetensors");
        var after = new Stopping(cancel);
        Assert.Throws<OperationCanceledException>(() => Quantizer.Quantize(
            DefaultModel.Existing(), path, box.Pictures, progress: after, cancellationToken: cancel.Token));
        Assert.DoesNotContain(Directory.GetFiles(Path.GetDirectoryName(path)!), file => file.Contains("cancelled"));
    }

    private sealed class Stages : IProgress<QuantizationProgress>
    {
        public HashSet<string> Names { get; } = [];

        public void Report(QuantizationProgress value) => Names.Add(value.Stage);
    }

    private sealed class Stopping(CancellationTokenSource cancel) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value)
        {
            if (value.Stage.StartsWith("choosing", StringComparison.Ordinal))
                cancel.Cancel();
        }
    }
}
