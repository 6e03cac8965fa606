using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// ConvNeXt; low-level features are the first stage's. Layers: stem, stem.norm, stage{1..4}.down, .down.norm,
/// stage{1..4}.{block}.window, .norm, .fc1, .response, .fc2, .scale.
/// </summary>
internal static class ConvNeXt
{
    private const int StemKernel = 4;

    public static Features Build(ConvNeXtSpec spec, Layers layers, Value image)
    {
        Value x = layers.Convolution(
            image, "backbone.stem", StemKernel, Activation.None, StemKernel, padding: Padding.None, norm: false,
            bias: true);
        x = layers.LayerNorm(x, "backbone.stem.norm", spec.LayerNormEpsilon);
        Value? lowLevel = null;
        for (int stage = 0; stage < spec.Blocks.Count; stage++)
        {
            string name = $"backbone.stage{stage + 1}";
            if (stage > 0)
                x = Halved(spec, spec.Stages[stage], layers, x, $"{name}.down");
            for (int block = 0; block < spec.Blocks[stage]; block++)
                x = Block(spec, spec.Stages[stage].Dilation, layers, x, $"{name}.{block}");
            if (stage == 0)
                lowLevel = x;
        }
        return new Features(lowLevel, x);
    }

    /// <summary>In a dilated stage only the window is left of it, with zeros at the end.</summary>
    private static Value Halved(ConvNeXtSpec spec, DilationPlan.Stage stage, Layers layers, Value x, string name)
    {
        const int kernel = 2;
        Padding zeros = stage.Dilation > 1
            ? Padding.Same(x.Shape.Height, x.Shape.Width, kernel, stage.Stride, stage.FirstDilation)
            : Padding.None;
        x = layers.LayerNorm(x, $"{name}.norm", spec.LayerNormEpsilon);
        return layers.Convolution(
            x, name, kernel, Activation.None, stage.Stride, stage.FirstDilation, padding: zeros, norm: false,
            bias: true);
    }

    private static Value Block(ConvNeXtSpec spec, int dilation, Layers layers, Value x, string name)
    {
        Value y = layers.Depthwise(
            x, $"{name}.window", 7, Activation.None, dilation: dilation, norm: false, bias: true);
        y = layers.LayerNorm(y, $"{name}.norm", spec.LayerNormEpsilon);
        y = layers.Linear(y, $"{name}.fc1", activation: spec.Activation);
        if (spec.ResponseNorms)
            y = layers.ResponseNorm(y, $"{name}.response");
        y = layers.Linear(y, $"{name}.fc2", x.Shape.Channels);
        if (spec.ScaledBlocks)
            y = layers.Scaled(y, $"{name}.scale");
        return layers.Add(y, x, name, Activation.None);
    }
}
