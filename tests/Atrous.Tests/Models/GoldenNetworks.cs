using System.Globalization;
using System.Text.Json;
using Atrous.Backends;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Models;
using Atrous.Models.Backbones;
using Atrous.Models.Heads;
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
        // Stages whose stride is traded, where the option is about the last three.
        JsonElement? traded = Option(golden, "replace_stride_with_dilation");
        int? outputStride = stride?.GetInt32()
            ?? (traded is { } list ? 32 >> list.EnumerateArray().Count(stage => stage.GetBoolean()) : null);
        return new SegmenterOptions { OutputStride = outputStride, Switches = Switches(golden), Device = "cpu" };
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
            _ when Encoder(golden).Contains("blur", StringComparison.Ordinal) => new() { ["anti_aliasing"] = "blur" },
            _ when Has("tu-resnetaa") => new() { ["anti_aliasing"] = "mean" },
            // timm's own and TensorFlow's are alike in their tensors.
            "AdaptSegNet V2" => new() { ["branches"] = "2" },
            _ when Has("tu-mobilenetv3") || Has("tu-efficientnet") => new() { ["timm_tf"] = "false" },
            _ when Has("tu-tf_") => new() { ["timm_tf"] = "true" },
            _ => [],
        };

        bool Has(string encoder) => Encoder(golden).StartsWith(encoder, StringComparison.Ordinal);

        string Flag(string name) => Option(golden, name)!.Value.GetBoolean() ? "true" : "false";

        string Joined(string name, string separator) =>
            Option(golden, name) is { ValueKind: JsonValueKind.Array } list
                ? string.Join(separator, list.EnumerateArray().Select(item => item.GetRawText()))
                : "";
    }

    /// <summary>What the original's forward returns, computed by a backend, compared with the golden.</summary>
    public static Difference Run(Golden golden, IBackend backend, double limit, int runs = 1) => Tolerance.AssertWithin(
        limit, Forward(golden, backend, runs), golden.Output().ToNhwc(),
        string.Create(CultureInfo.InvariantCulture, $"{golden.Name} on {backend.Name}"), golden.OutputStd);

    /// <summary>
    /// What the original's forward returns, computed by a backend: NHWC. Further runs have the bits of the first.
    /// </summary>
    public static float[] Forward(Golden golden, IBackend backend, int runs = 1)
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
        float[] first = Layout.Values(output);
        for (int run = 1; run < runs; run++)
        {
            executable.Run([input], [output]);
            Assert.Equal(first, Layout.Values(output));
        }
        return first;
    }

    /// <summary>
    /// How far a network's values are from a golden's stored intermediates, in standard deviations, for each of them
    /// that is a map of features. An error in the middle of a deep network of gates may hardly reach the output.
    /// </summary>
    public static IReadOnlyDictionary<string, double> Intermediates(Golden golden, IBackend backend)
    {
        using var checkpoint = new GeneratedCheckpoint(golden);
        ModelDescription description = Describe(golden, checkpoint);
        var builder = new GraphBuilder();
        (Features features, Value logits) = Build(description, checkpoint, builder, golden.InputShape);
        NetworkGraph graph = builder.Build(logits);
        Dictionary<string, Value[]> candidates = golden.Intermediates
            .Where(name => golden.ShapeOfIntermediate(name) is not null)
            .ToDictionary(name => name, name => name switch
            {
                "low_level" => features.LowLevel is { } lowLevel ? [lowLevel] : (Value[])[],
                "backbone_out" => [features.Out],
                "logits" => [logits],
                // No part of the network has it by name: the nearest of those of its shape.
                _ => [.. graph.Nodes.Select(node => node.Output)
                    .Where(value => value.Shape == golden.ShapeOfIntermediate(name))],
            });
        Value[] values = [.. candidates.Values.SelectMany(of => of).Distinct()];
        using IExecutable executable = backend.Compile(builder.Build(values));
        using Tensor input = golden.Input();
        Tensor[] outputs = [.. values.Select(value => new Tensor(value.Shape))];
        try
        {
            executable.Run([input], outputs);
            return candidates.ToDictionary(pair => pair.Key, pair => pair.Value
                .Select(value => Distance(golden, pair.Key, outputs[Array.IndexOf(values, value)]))
                .Append(double.PositiveInfinity).Min());
        }
        finally
        {
            Array.ForEach(outputs, output => output.Dispose());
        }
    }

    private static (Features Features, Value Logits) Build(
        ModelDescription description, ICheckpoint checkpoint, GraphBuilder graph, Shape image)
    {
        NetworkSpec network = description.Network;
        var weights = new WeightBinder(checkpoint, description.Names);
        Features features = Backbone.Build(network.Backbone, With(network.Backbone.NormEpsilon),
            graph.Input("image", image));
        return (features, Head.Build(network.Head, With(network.Head.NormEpsilon), features));

        Layers With(double epsilon) => new(graph, weights, network, epsilon);
    }

    private static double Distance(Golden golden, string name, Tensor output)
    {
        Assert.Equal(golden.ShapeOfIntermediate(name), output.Shape);
        float[] values = Layout.Values(output);
        double distance = Distance(golden, name, values, output.Shape.Channels);
        // The original gives out features in the middle of these behind a ReLU that its own next layer has as well.
        bool activated = name.StartsWith("feature_", StringComparison.Ordinal)
            && Encoder(golden).StartsWith("dpn", StringComparison.Ordinal);
        return activated
            ? Math.Min(distance, Distance(
                golden, name, Array.ConvertAll(values, value => Math.Max(value, 0)), output.Shape.Channels))
            : distance;
    }

    private static string Encoder(Golden golden) => Option(golden, "encoder")?.GetString() ?? "";

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
