using System.Globalization;
using System.Text.Json;
using Atrous.Backends;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>Generated weights as a checkpoint without a file.</summary>
internal sealed class GeneratedCheckpoint(Golden golden) : ICheckpoint
{
    private readonly GeneratedWeights _weights = golden.Weights();

    public string Path => golden.Name;

    public IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>();

    /// <summary>What no switch can say: segmentation_models.pytorch has it in its config.json.</summary>
    public JsonElement? Config => golden.Options.TryGetProperty("decoder_atrous_rates", out _) ? golden.Options : null;

    /// <summary>The configuration that mmsegmentation writes into a checkpoint.</summary>
    public JsonElement? Meta
    {
        get
        {
            if (!golden.Options.TryGetProperty("decode_head", out JsonElement decode_head))
                return null;
            var model = new { backbone = golden.Options.GetProperty("backbone"), decode_head };
            return JsonSerializer.SerializeToElement(new { config = new { model } });
        }
    }

    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights.Weights;

    public void Read(string name, Span<float> destination) => _weights.Read(name, destination);

    public void Dispose() => _weights.Dispose();
}

/// <summary>Builds and runs a golden's network.</summary>
internal static class GoldenNetworks
{
    /// <summary>
    /// The description that a dialect gives of a golden's keys, with the golden's own output stride and switches.
    /// </summary>
    public static ModelDescription Describe(Golden golden, ICheckpoint checkpoint)
    {
        SegmenterOptions options = OptionsOf(golden);
        return Dialect.Describe(checkpoint, null, new DialectChoice(options.OutputStride, options.Switches));
    }

    /// <summary>A golden's own output stride and switches.</summary>
    public static SegmenterOptions OptionsOf(Golden golden)
    {
        // Two repositories have their own words for it.
        JsonElement? stride = Option(golden, "output_stride") ?? Option(golden, "encoder_output_stride")
            ?? Option(golden, "downsample_factor");
        return new SegmenterOptions { OutputStride = stride?.GetInt32(), Switches = Switches(golden), Device = "cpu" };
    }

    private static JsonElement? Option(Golden golden, string name) =>
        golden.Options.TryGetProperty(name, out JsonElement value) ? value : null;

    /// <summary>A golden's options by the names of our switches.</summary>
    private static Dictionary<string, string> Switches(Golden golden)
    {
        return golden.Dialect switch
        {
            "mmsegmentation" or "DenseASPP" => new() { ["align_corners"] = Flag("align_corners") },
            "HF MobileNetV2" => new() { ["tf_padding"] = Flag("tf_padding") },
            "detectron2" => new()
            {
                ["image_pool"] = Joined("pool_kernel", "x") is { Length: > 0 } window ? window : "global",
            },
            "kazuto1011 V2" => new()
            {
                ["multi_scale"] = Joined("scales", ",") is { Length: > 0 } scales ? scales : "none",
                // The two grids have the same options; the notes tell them apart, and the name.
                ["recompute_scale_factor"] = golden.Name.Contains("_recompute_", StringComparison.Ordinal)
                    ? "true"
                    : "false",
            },
            // timm's own and TensorFlow's are alike in their tensors.
            _ when Encoder("tu-mobilenetv3") || Encoder("tu-efficientnet") => new() { ["timm_tf"] = "false" },
            _ when Encoder("tu-tf_") => new() { ["timm_tf"] = "true" },
            _ => [],
        };

        bool Encoder(string prefix) =>
            Option(golden, "encoder")?.GetString()!.StartsWith(prefix, StringComparison.Ordinal) ?? false;

        string Flag(string name) => Option(golden, name)!.Value.GetBoolean() ? "true" : "false";

        string Joined(string name, string separator) =>
            Option(golden, name) is { ValueKind: JsonValueKind.Array } list
                ? string.Join(separator, list.EnumerateArray().Select(item => item.GetRawText()))
                : "";
    }

    /// <summary>What the original's forward returns, computed by a backend, compared with the golden.</summary>
    public static Difference Run(Golden golden, IBackend backend, double limit) => Tolerance.AssertWithin(
        limit, Forward(golden, backend), golden.Output().ToNhwc(),
        string.Create(CultureInfo.InvariantCulture, $"{golden.Name} on {backend.Name}"), golden.OutputStd);

    /// <summary>What the original's forward returns, computed by a backend: NHWC.</summary>
    public static float[] Forward(Golden golden, IBackend backend)
    {
        using var checkpoint = new GeneratedCheckpoint(golden);
        var model = new Model(Describe(golden, checkpoint), checkpoint);
        Assert.Empty(model.Unexpected);
        var graph = new GraphBuilder();
        Value image = graph.Input("image", golden.InputShape);
        Value forward = model.Build(graph, image).Forward;
        if (Option(golden, "activation")?.GetString() == "sigmoid")
            forward = graph.Add("sigmoid", new Activate(Activation.Sigmoid), forward);
        using IExecutable executable = backend.Compile(graph.Build(forward));
        using Tensor input = golden.Input(), output = new(forward.Shape);
        executable.Run([input], [output]);
        Assert.Equal(golden.Output().Nhwc, forward.Shape);
        return Layout.Values(output);
    }

    /// <summary>
    /// How far a network's nearest value is from each of a golden's stored intermediates, in standard deviations. An
    /// error in the middle of a deep network of gates may hardly reach the output.
    /// </summary>
    public static IReadOnlyDictionary<string, double> Intermediates(Golden golden, IBackend backend)
    {
        using var checkpoint = new GeneratedCheckpoint(golden);
        var builder = new GraphBuilder();
        Value image = builder.Input("image", golden.InputShape);
        NetworkGraph graph = builder.Build(
            new Model(Describe(golden, checkpoint), checkpoint).Build(builder, image).Forward);
        var shapes = new Dictionary<string, Shape>();
        foreach (string name in golden.Intermediates)
        {
            if (golden.ShapeOfIntermediate(name) is { } shape)
                shapes.Add(name, shape);
        }
        Value[] values =
            [.. graph.Nodes.Select(node => node.Output).Where(value => shapes.ContainsValue(value.Shape))];
        using IExecutable executable = backend.Compile(builder.Build(values));
        using Tensor input = golden.Input();
        Tensor[] outputs = [.. values.Select(value => new Tensor(value.Shape))];
        try
        {
            executable.Run([input], outputs);
            return shapes.ToDictionary(pair => pair.Key, pair => outputs.Where(output => output.Shape == pair.Value)
                .SelectMany(output => Distances(golden, pair.Key, Layout.Values(output), output.Shape.Channels))
                .Append(double.PositiveInfinity).Min());
        }
        finally
        {
            Array.ForEach(outputs, output => output.Dispose());
        }
    }

    /// <summary>Of the value, and of its ReLU, which the original may give out without reading it.</summary>
    private static double[] Distances(Golden golden, string name, float[] values, int channels) =>
    [
        Distance(golden, name, values, channels),
        Distance(golden, name, Array.ConvertAll(values, value => Math.Max(value, 0)), channels),
    ];

    private static double Distance(Golden golden, string name, float[] values, int channels)
    {
        GoldenTensor stored = golden.Intermediate(name, out int step);
        float[] expected = stored.ToNhwc();
        int kept = stored.Nhwc.Channels;
        double std = golden.StdOfIntermediate(name), worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs((double)values[i / kept * channels + i % kept * step] - expected[i]);
            // What rounding to float16 takes.
            if (stored.IsHalf)
                error -= Math.Abs(expected[i]) / 2048 + 6e-8;
            worst = Math.Max(worst, double.IsNaN(error) ? double.PositiveInfinity : error / std);
        }
        return worst;
    }
}
