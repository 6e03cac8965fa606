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
    /// <summary>The description that a dialect gives of a golden's keys, with the golden's own output stride.</summary>
    public static ModelDescription Describe(Golden golden, ICheckpoint checkpoint)
    {
        // bubbliiiing's word is downsample_factor.
        int? stride = golden.Options.TryGetProperty("output_stride", out JsonElement value)
            || golden.Options.TryGetProperty("downsample_factor", out value) ? value.GetInt32() : null;
        return Dialect.Describe(checkpoint, null, new DialectChoice(stride));
    }

    /// <summary>What the original's forward returns, computed by a backend: NHWC, compared with the golden.</summary>
    public static Difference Run(Golden golden, IBackend backend, double limit)
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
        GoldenTensor expected = golden.Output();
        Assert.Equal(expected.Nhwc, forward.Shape);
        return Tolerance.AssertWithin(
            limit, output.Image<float>(0), expected.ToNhwc(),
            string.Create(CultureInfo.InvariantCulture, $"{golden.Name} on {backend.Name}"), golden.OutputStd);
    }
}
