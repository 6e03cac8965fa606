using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// The Mix Transformer; low-level features are the first stage's. Layers: stage{1..4}.down, .down.norm,
/// stage{1..4}.{block}.norm1, .query, .reduce, .reduce.norm, .keyvalue, .attend, .norm2, .fc1, .window, .fc2,
/// stage{1..4}.norm.
/// </summary>
internal static class MixTransformer
{
    /// <summary>As the original builds its layer norms: most of them say 1e-6, the others have PyTorch's own.</summary>
    private const double Epsilon = 1e-6, OwnEpsilon = 1e-5;

    public static Features Build(MixTransformerSpec spec, Layers layers, Value image)
    {
        Value x = image;
        Value? lowLevel = null;
        for (int i = 1; i <= spec.Stages.Count; i++)
        {
            MixTransformerStage stage = spec.Stages[i - 1];
            string name = $"backbone.stage{i}";
            x = Windowed(layers, x, $"{name}.down", stage.Kernel, stage.Stride, stage.Dilation);
            x = layers.LayerNorm(x, $"{name}.down.norm", OwnEpsilon);
            for (int block = 0; block < stage.Blocks; block++)
                x = Block(spec, stage, layers, x, $"{name}.{block}");
            x = layers.LayerNorm(x, $"{name}.norm", Epsilon);
            lowLevel ??= x;
        }
        return new Features(lowLevel, x);
    }

    private static Value Block(
        MixTransformerSpec spec, MixTransformerStage stage, Layers layers, Value x, string name)
    {
        Value y = Attend(stage, layers, layers.LayerNorm(x, $"{name}.norm1", Epsilon), name);
        x = layers.Add(y, x, $"{name}.mixed", Activation.None);
        y = layers.LayerNorm(x, $"{name}.norm2", Epsilon);
        y = layers.Linear(y, $"{name}.fc1");
        y = layers.Depthwise(
            y, $"{name}.window", 3, spec.Activation, dilation: stage.Dilation, norm: false, bias: true);
        y = layers.Linear(y, $"{name}.fc2", x.Shape.Channels);
        return layers.Add(y, x, name, Activation.None);
    }

    private static Value Attend(MixTransformerStage stage, Layers layers, Value x, string name)
    {
        int channels = x.Shape.Channels;
        Value queries = layers.Linear(x, $"{name}.query", channels), reduced = x;
        if (stage.Reduction > 1)
        {
            // The original dilates this one too, and pads it by its own rule.
            bool isDilated = stage.Dilation > 1;
            reduced = layers.Convolution(
                x, $"{name}.reduce", stage.Reduction, Activation.None, isDilated ? 1 : stage.Reduction, stage.Dilation,
                padding: Padding.Symmetric(isDilated ? stage.Reduction / 2 * stage.Dilation : 0), norm: false,
                bias: true, outputs: channels);
            reduced = layers.LayerNorm(reduced, $"{name}.reduce.norm", OwnEpsilon);
        }
        Value pairs = layers.Linear(reduced, $"{name}.keyvalue", 2 * channels);
        float scale = (float)(1 / Math.Sqrt((double)channels / stage.Heads));
        Value y = layers.Graph.Add($"{name}.attention", new Attention(stage.Heads, scale), queries, pairs);
        return layers.Linear(y, $"{name}.attend", channels);
    }

    private static Value Windowed(Layers layers, Value x, string name, int kernel, int stride, int dilation) =>
        layers.Convolution(
            x, name, kernel, Activation.None, stride, dilation, padding: Padding.Symmetric(kernel / 2 * dilation),
            norm: false, bias: true);
}
