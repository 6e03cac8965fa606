using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// MobileViT and MobileViTV2. Layers: stem, stage{1..}.{block}.expand, .depthwise, .project; of a stage with a
/// transformer window, tokens, layer{0..}.norm1, .query, .key, .value (or .qkv), .attend, .norm2, .fc1, .fc2, norm,
/// project, fuse; last.
/// </summary>
internal static class MobileViT
{
    private const int Patch = 2;

    /// <summary>What attention multiplies, as layers of their own.</summary>
    private static readonly string[] Projections = ["query", "key", "value"];

    public static Features Build(MobileViTSpec spec, Layers layers, Value image)
    {
        Value x = layers.Convolution(image, "backbone.stem", 3, spec.Activation, stride: 2);
        Value? lowLevel = null;
        for (int i = 1; i <= spec.Stages.Count; i++)
        {
            MobileViTStage stage = spec.Stages[i - 1];
            var inverted = new InvertedResidualSpec
            {
                Name = spec.Name,
                Activation = spec.Activation,
                Blocks = stage.Blocks,
            };
            for (int block = 0; block < stage.Blocks.Count; block++)
                x = InvertedResidualNet.Block(inverted, block, layers, x, $"backbone.stage{i}.{block}");
            if (stage.Transformers > 0)
                x = Mixed(spec, stage, layers, x, $"backbone.stage{i}");
            if (i == spec.LowLevelStage)
                lowLevel = x;
        }
        if (spec.LastConvolution)
            x = layers.Convolution(x, "backbone.last", 1, spec.Activation);
        return new Features(lowLevel, x);
    }

    /// <summary>What convolutions see nearby and a transformer far away, as one.</summary>
    private static Value Mixed(MobileViTSpec spec, MobileViTStage stage, Layers layers, Value x, string name)
    {
        bool separable = spec.Heads == 0;
        Value y = separable
            ? layers.Depthwise(x, $"{name}.window", 3, spec.Activation, dilation: stage.Dilation)
            : layers.Convolution(x, $"{name}.window", 3, spec.Activation, dilation: stage.Dilation);
        y = layers.Convolution(y, $"{name}.tokens", 1, Activation.None, norm: false);
        (int height, int width) = (y.Shape.Height, y.Shape.Width);
        y = separable
            ? Cut(layers.Graph, y, name)
            : layers.Graph.Resize($"{name}.even", y, Even(height), Even(width), Sampling.HalfPixel);
        for (int i = 0; i < stage.Transformers; i++)
            y = Transformer(spec, layers, y, $"{name}.layer{i}");
        y = layers.LayerNorm(y, $"{name}.norm", spec.LayerNormEpsilon, wholePicture: separable);
        if (separable)
        {
            // The row and the column that fill no patch come back as zeros.
            var zeros = new Padding(0, 0, height - y.Shape.Height, width - y.Shape.Width);
            return layers.Convolution(y, $"{name}.project", 1, Activation.None, padding: zeros);
        }
        y = layers.Graph.Resize($"{name}.back", y, height, width, Sampling.HalfPixel);
        y = layers.Convolution(y, $"{name}.project", 1, spec.Activation);
        return layers.Convolution(layers.Concat($"{name}.concat", x, y), $"{name}.fuse", 3, spec.Activation);
    }

    private static Value Transformer(MobileViTSpec spec, Layers layers, Value x, string name)
    {
        bool separable = spec.Heads == 0;
        Value y = layers.LayerNorm(x, $"{name}.norm1", spec.LayerNormEpsilon, wholePicture: separable);
        y = separable ? Separable(layers, y, name) : Attend(spec, layers, y, name);
        y = layers.Linear(y, $"{name}.attend", x.Shape.Channels);
        x = layers.Add(y, x, $"{name}.mixed", Activation.None);
        y = layers.LayerNorm(x, $"{name}.norm2", spec.LayerNormEpsilon, wholePicture: separable);
        y = layers.Linear(y, $"{name}.fc1", activation: spec.Activation);
        y = layers.Linear(y, $"{name}.fc2", x.Shape.Channels);
        return layers.Add(y, x, name, Activation.None);
    }

    private static Value Attend(MobileViTSpec spec, Layers layers, Value x, string name)
    {
        int channels = x.Shape.Channels;
        Value[] parts = spec.FusedQueries
            ? [layers.Linear(x, $"{name}.qkv", 3 * channels)]
            : [.. Projections.Select(part => layers.Linear(x, $"{name}.{part}", channels))];
        float scale = (float)(1 / Math.Sqrt((double)channels / spec.Heads));
        return layers.Graph.Add($"{name}.attention", new Attention(spec.Heads, scale, Patch), parts);
    }

    private static Value Separable(Layers layers, Value x, string name) => layers.Graph.Add(
        $"{name}.attention", new LinearAttention(Patch),
        layers.Linear(x, $"{name}.qkv", 1 + 2 * x.Shape.Channels));

    private static Value Cut(GraphBuilder graph, Value x, string name)
    {
        (int height, int width) = (x.Shape.Height / Patch * Patch, x.Shape.Width / Patch * Patch);
        return height == x.Shape.Height && width == x.Shape.Width
            ? x
            : graph.Add($"{name}.cut", new Crop(0, 0, height, width), x);
    }

    private static int Even(int size) => (size + Patch - 1) / Patch * Patch;
}
