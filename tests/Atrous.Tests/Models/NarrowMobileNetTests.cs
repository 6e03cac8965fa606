using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Models;
using Atrous.Models.Backbones;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>
/// MobileNetV2 at a quarter of its width: its first block has 8 channels before and behind it, and its input is added,
/// as in torchvision, Keras and transformers, whose rule is stride 1 and equal widths.
/// </summary>
public sealed class NarrowMobileNetTests
{
    [Theory]
    [InlineData(8, 8, true)]
    [InlineData(16, 8, false)]
    public void A_first_block_that_keeps_its_width_adds_its_input(int stem, int first, bool adds)
    {
        InvertedResidualSpec spec = BackboneShapes.MobileNetV2(16, DilationRule.FirstBlockPrevious) with
        {
            LowLevelBlock = 1,
        };
        spec = spec with { Blocks = [spec.Blocks[0]] };
        (string Name, int[] Shape)[] keys =
        [
            ("backbone.stem.weight", [stem, 3, 3, 3]), ("backbone.block1.depthwise.weight", [stem, 1, 3, 3]),
            ("backbone.block1.project.weight", [first, stem, 1, 1]),
            .. new[] { ("stem", stem), ("block1.depthwise", stem), ("block1.project", first) }.SelectMany(layer =>
                new[] { "weight", "bias", "running_mean", "running_var" }.Select(
                    part => ($"backbone.{layer.Item1}.bn.{part}", new[] { layer.Item2 }))),
        ];
        using var weights = new GeneratedWeights(keys);
        var graph = new GraphBuilder();
        Value image = graph.Input("image", new Shape(1, 16, 16, 3));
        var layers = new Layers(graph, new WeightBinder(weights, new NameMap()), Network(spec), spec.NormEpsilon);
        Features features = Backbone.Build(spec, layers, image);
        Assert.Equal(adds, graph.Build(features.Out).Nodes.Any(node => node.Output.Name == "backbone.block1.add"));
    }

    private static NetworkSpec Network(InvertedResidualSpec spec) => new()
    {
        Backbone = spec,
        Head = new DeepLabV2HeadSpec { Rates = [6] },
        OutputStride = 16,
        InputChannels = 3,
        Classes = 2,
        FinalSampling = default,
    };
}
