using Atrous.Backends;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>What a file of segmentation_models.pytorch tells of its encoder, and what it leaves to a switch.</summary>
public sealed class EncoderTests
{
    private const string FirstBranch = "decoder.aspp.0.convs.0.0.weight";

    private static (string Name, int[] Shape)[] Resnet34 =>
        [.. Golden.Load("smp_deeplabv3plus_resnet34_os16_96x128").Keys];

    [Theory]
    [InlineData("3", 2)]
    [InlineData("5", 4)]
    public void Features_of_the_same_width_leave_the_depth_to_a_switch(string depth, int stages)
    {
        // Were the second and the fourth stage of one width, the head's kernel could read either.
        using var checkpoint = new NamedWeights(Resnet34.Select(key => key.Name == "encoder.layer4.0.conv2.weight"
            ? (key.Name, [128, .. key.Shape[1..]])
            : key.Name == FirstBranch ? (key.Name, [256, 128, 1, 1]) : key));
        Assert.Equal(4, Stages(Describe(checkpoint, [])));
        ModelDescription chosen = Describe(checkpoint, new() { ["encoder_depth"] = depth });
        Assert.Equal(stages, Stages(chosen));
        Assert.Contains(chosen.Switches, s => s.Name == "encoder_depth" && s.Value == depth);
    }

    [Fact]
    public void A_head_that_reads_no_feature_is_refused()
    {
        using var checkpoint = new NamedWeights(
            Resnet34.Select(key => key.Name == FirstBranch ? (key.Name, [256, 77, 1, 1]) : key));
        var refused = Assert.Throws<ModelException>(() => Describe(checkpoint, []));
        Assert.Contains("77 channels", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stages_that_timm_left_out_are_not_missed()
    {
        using var checkpoint = new NamedWeights(
            Golden.Load("smp_deeplabv3plus_tu-resnet34_os8_96x128").Keys
                .Where(key => !key.Name.StartsWith("encoder.model.layer4.", StringComparison.Ordinal))
                .Select(key => key.Name == FirstBranch ? (key.Name, [256, 256, 1, 1]) : key));
        ModelDescription description = Describe(checkpoint, []);
        Assert.Equal(3, Stages(description));
        Assert.Empty(Model.Compare(description, checkpoint).Missing);
    }

    [Fact]
    public void A_tensor_of_the_encoder_that_nothing_reads_is_another_network_s()
    {
        using var checkpoint = new NamedWeights([.. Resnet34, ("encoder.layer1.0.eca.conv.weight", [1, 1, 3])]);
        var refused = Assert.Throws<ModelException>(() => new Model(Describe(checkpoint, []), checkpoint));
        Assert.Contains("'encoder.layer1.0.eca.conv.weight'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_encoder_of_no_family_is_named_with_those_that_there_are()
    {
        using var checkpoint = new NamedWeights(
            Resnet34.Where(key => !key.Name.StartsWith("encoder.layer", StringComparison.Ordinal)));
        var refused = Assert.Throws<ModelException>(() => Describe(checkpoint, []));
        Assert.Contains("resnest", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MobileOne_gives_the_same_when_its_branches_were_merged()
    {
        Golden golden = Golden.Load("smp_deeplabv3plus_mobileone_s0_os16_96x128");
        using var trained = new GeneratedCheckpoint(golden);
        using var merged = new MergedCheckpoint(trained);
        ModelDescription description = Describe(merged, []);
        var model = new Model(description, merged);
        Assert.Empty(model.Unexpected);
        var graph = new GraphBuilder();
        Value forward = model.Build(graph, graph.Input("image", golden.InputShape)).Forward;
        using IBackend backend = AllBackends.Create("cpu");
        using IExecutable executable = backend.Compile(graph.Build(forward));
        using Tensor input = golden.Input(), output = new(forward.Shape);
        executable.Run([input], [output]);
        Tolerance.AssertWithin(
            Tolerance.Network, Layout.Values(output), golden.Output().ToNhwc(), golden.Name, golden.OutputStd);
    }

    private static ModelDescription Describe(ICheckpoint checkpoint, Dictionary<string, string> switches) =>
        Dialect.Describe(checkpoint, null, new DialectChoice(null, switches));

    private static int Stages(ModelDescription description) => ((ResNetSpec)description.Network.Backbone).Blocks.Count;

    /// <summary>MobileOne as its authors' reparameterize_model leaves it.</summary>
    private sealed class MergedCheckpoint : ICheckpoint
    {
        private readonly ICheckpoint _trained;
        private readonly Dictionary<string, WeightInfo> _weights = [];
        private readonly Dictionary<string, float[]> _merged = [];

        public MergedCheckpoint(ICheckpoint trained)
        {
            _trained = trained;
            foreach (WeightInfo info in trained.Weights.Values)
            {
                if (!info.Name.Contains(".rbr_", StringComparison.Ordinal))
                    _weights.Add(info.Name, info);
                else if (info.Name.EndsWith(".rbr_conv.0.conv.weight", StringComparison.Ordinal))
                    Merge(info.Name[..^".rbr_conv.0.conv.weight".Length], info.Shape);
            }
        }

        public string Path => "merged.pth";

        public IReadOnlyDictionary<string, string> Metadata => _trained.Metadata;

        public System.Text.Json.JsonElement? Config => null;

        public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

        public void Read(string name, Span<float> destination)
        {
            if (_merged.TryGetValue(name, out float[]? values))
                values.CopyTo(destination);
            else
                _trained.Read(name, destination);
        }

        public void Dispose()
        {
        }

        private void Merge(string module, int[] shape)
        {
            int area = shape[2] * shape[3], size = shape[1] * area;
            float[] kernel = new float[shape[0] * size], bias = new float[shape[0]];
            foreach (string branch in _trained.Weights.Keys.Where(
                key => key.StartsWith($"{module}.rbr_conv.", StringComparison.Ordinal)
                && key.EndsWith(".conv.weight", StringComparison.Ordinal)).ToArray())
            {
                float[] values = Values(branch), scale = Norm(branch.Replace(".conv.weight", ".bn"), bias);
                for (int i = 0; i < kernel.Length; i++)
                    kernel[i] += values[i] * scale[i / size];
            }
            if (_trained.Weights.ContainsKey($"{module}.rbr_scale.conv.weight"))
            {
                float[] values = Values($"{module}.rbr_scale.conv.weight");
                float[] scale = Norm($"{module}.rbr_scale.bn", bias);
                for (int i = 0; i < values.Length; i++)
                    kernel[i * area + area / 2] += values[i] * scale[i / shape[1]];
            }
            if (_trained.Weights.ContainsKey($"{module}.rbr_skip.weight"))
            {
                float[] scale = Norm($"{module}.rbr_skip", bias);
                for (int c = 0; c < scale.Length; c++)
                    kernel[c * size + c % shape[1] * area + area / 2] += scale[c];
            }
            Add($"{module}.reparam_conv.weight", shape, kernel);
            Add($"{module}.reparam_conv.bias", [shape[0]], bias);
        }

        private float[] Norm(string name, float[] bias)
        {
            float[] gamma = Values($"{name}.weight"), beta = Values($"{name}.bias");
            float[] mean = Values($"{name}.running_mean"), variance = Values($"{name}.running_var");
            var scale = new float[gamma.Length];
            for (int c = 0; c < scale.Length; c++)
            {
                scale[c] = (float)(gamma[c] / Math.Sqrt(variance[c] + 1e-5));
                bias[c] += beta[c] - mean[c] * scale[c];
            }
            return scale;
        }

        private float[] Values(string name)
        {
            var values = new float[_trained.Weights[name].Elements];
            _trained.Read(name, values);
            return values;
        }

        private void Add(string name, int[] shape, float[] values)
        {
            _weights.Add(name, new WeightInfo(name, DType.Float32, shape));
            _merged.Add(name, values);
        }
    }
}
