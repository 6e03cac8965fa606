using System.Globalization;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>DeepLabV2's multi-scale inputs, Chen et al. 2016 (arXiv:1606.00915), section 4.1.</summary>
internal static class MultiScale
{
    /// <summary>The element-wise maximum of the logits and of those at each scale, resized to them.</summary>
    /// <param name="spec">The scales, and how a resized picture's grid is counted.</param>
    /// <param name="graph">The graph that nodes are appended to.</param>
    /// <param name="image">The picture at its own scale.</param>
    /// <param name="logits">The logits of the picture at its own scale.</param>
    /// <param name="score">Appends the network once more: picture to logits.</param>
    public static Value Maximum(
        MultiScaleSpec spec, GraphBuilder graph, Value image, Value logits, Func<Value, Value> score)
    {
        Shape size = logits.Shape;
        foreach (double scale in spec.Scales)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"scale{scale}");
            Value scaled = graph.Resize(
                $"{name}.image", image, Extent(image.Shape.Height, scale), Extent(image.Shape.Width, scale),
                Sampling.HalfPixel, spec.RecomputedGrid ? 0 : (float)(1 / scale));
            Value scores = graph.Resize($"{name}.logits", score(scaled), size.Height, size.Width, Sampling.HalfPixel);
            logits = graph.Add($"{name}.maximum", new Binary(BinaryKind.Maximum, Activation.None), logits, scores);
        }
        return logits;
    }

    private static int Extent(int size, double scale) => Math.Max((int)(size * scale), 1);
}
