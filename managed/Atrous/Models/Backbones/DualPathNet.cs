using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// Dual path networks, Chen et al. 2017 (arXiv:1707.01629), figure 2d. Layers: stem, stage{1..}.{block}.project,
/// .reduce, .window, .expand (or .expand's norm, .residual and .dense), norm; norms come before convolutions.
/// </summary>
internal static class DualPathNet
{
    public static Features Build(DualPathNetSpec spec, Layers layers, Value image)
    {
        Value x = layers.Convolution(image, "backbone.stem", spec.StemKernel, spec.Activation, stride: 2);
        x = layers.Graph.Add("backbone.stem.pool", new MaxPool2d(3, 2, 1), x);
        Value? lowLevel = null;
        for (int i = 0; i < spec.Stages.Count; i++)
        {
            DualPathStage stage = spec.Stages[i];
            (Value Residual, Value Dense) paths = default;
            for (int block = 0; block < stage.Blocks; block++)
            {
                string name = $"backbone.stage{i + 1}.{block}";
                bool first = block == 0;
                int stride = first ? stage.Plan.Stride : 1;
                if (first)
                {
                    Value both = PreActivated(
                        spec, layers, x, $"{name}.project", stride, stage.Width + 2 * stage.Growth);
                    paths = Cut(layers, both, $"{name}.project", stage.Width);
                }
                paths = Block(
                    spec, layers, x, paths, name, stage, stride,
                    first ? stage.Plan.FirstDilation : stage.Plan.Dilation);
                x = layers.Concat($"{name}.concat", paths.Residual, paths.Dense);
            }
            if (i == 0)
                lowLevel = layers.Activate(x, "backbone.low_level", spec.Activation);
        }
        return new Features(lowLevel, spec.LastNorm
            ? layers.Norm(x, "backbone.norm", spec.Activation)
            : layers.Activate(x, "backbone.norm", spec.Activation));
    }

    private static (Value Residual, Value Dense) Block(
        DualPathNetSpec spec, Layers layers, Value x, (Value Residual, Value Dense) paths, string name,
        DualPathStage stage, int stride, int dilation)
    {
        Value y = PreActivated(spec, layers, x, $"{name}.reduce", 1, null);
        y = layers.Norm(y, $"{name}.window", spec.Activation);
        y = layers.Grouped(y, $"{name}.window", 3, Activation.None, stride, dilation, norm: false);
        Value residual, dense;
        if (spec.TwoEnds)
        {
            y = layers.Norm(y, $"{name}.expand", spec.Activation);
            residual = layers.Convolution(
                y, $"{name}.residual", 1, Activation.None, norm: false, outputs: stage.Width);
            dense = layers.Convolution(y, $"{name}.dense", 1, Activation.None, norm: false, outputs: stage.Growth);
        }
        else
        {
            y = PreActivated(spec, layers, y, $"{name}.expand", 1, stage.Width + stage.Growth);
            (residual, dense) = Cut(layers, y, $"{name}.expand", stage.Width);
        }
        return (
            layers.Add(residual, paths.Residual, name, Activation.None),
            layers.Concat($"{name}.dense.concat", paths.Dense, dense));
    }

    private static Value PreActivated(
        DualPathNetSpec spec, Layers layers, Value x, string layer, int stride, int? outputs) => layers.Convolution(
        layers.Norm(x, layer, spec.Activation), layer, 1, Activation.None, stride, norm: false, outputs: outputs);

    private static (Value Residual, Value Dense) Cut(Layers layers, Value x, string name, int width) => (
        layers.Slice(x, $"{name}.residual", 0, width),
        layers.Slice(x, $"{name}.dense", width, x.Shape.Channels - width));
}
