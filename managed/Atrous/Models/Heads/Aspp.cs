using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Heads;

/// <summary>
/// Atrous spatial pyramid pooling, Chen et al. 2017 (arXiv:1706.05587), section 3.3 and figure 5.
/// Layers: aspp.branch0 (1x1), aspp.branch1.. (one per rate), aspp.pool, aspp.project.
/// </summary>
internal static class Aspp
{
    /// <summary>The node that makes one vector of a whole picture.</summary>
    public const string PoolingNode = "aspp.pool.mean";

    public static Value Build(AsppSpec spec, Layers layers, Value x)
    {
        var branches = new List<Value> { layers.Convolution(x, "aspp.branch0", 1, spec.Activation, bias: spec.Bias) };
        for (int i = 0; i < spec.Rates.Count; i++)
        {
            branches.Add(layers.Convolution3x3(
                x, $"aspp.branch{i + 1}", spec.Style, spec.Activation, spec.Rates[i], spec.Bias));
        }
        if (spec.ImagePooling is { } pooling)
            branches.Insert(spec.PoolFirst ? 0 : branches.Count, ImagePooling(pooling, spec, layers, x));
        Value all = layers.Concat("aspp.concat", [.. branches]);
        return layers.Convolution(all, "aspp.project", spec.ProjectionKernel, spec.Activation, bias: spec.Bias);
    }

    private static Value ImagePooling(ImagePoolingSpec pooling, AsppSpec spec, Layers layers, Value x)
    {
        Value y = pooling.Window is { } window
            ? layers.Graph.Add(
                PoolingNode,
                // A picture smaller than the window is pooled as a whole.
                new AveragePool2d(Math.Min(window.Height, x.Shape.Height), Math.Min(window.Width, x.Shape.Width), 1), x)
            : layers.Graph.Add(PoolingNode, new GlobalAveragePool(), x);
        bool bare = pooling.BiasWithoutNorm;
        y = layers.Convolution(y, "aspp.pool", 1, spec.Activation, norm: !bare, bias: bare || spec.Bias);
        return layers.Graph.Resize("aspp.pool.resize", y, x.Shape.Height, x.Shape.Width, pooling.Sampling);
    }
}
