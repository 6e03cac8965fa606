using System.Globalization;
using System.Text.Json;
using Atrous.Backends;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
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

    public JsonElement? Config => null;

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
            _ => [],
        };

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
        using IExecutable executable = backend.Compile(graph.Build(forward));
        using Tensor input = golden.Input(), output = new(forward.Shape);
        executable.Run([input], [output]);
        Assert.Equal(golden.Output().Nhwc, forward.Shape);
        return Layout.Values(output);
    }
}
