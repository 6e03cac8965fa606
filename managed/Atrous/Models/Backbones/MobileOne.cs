using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Backbones;

/// <summary>
/// MobileOne, Vasu et al. 2022 (arXiv:2206.04040). Layers: stem, stage{1..}.{block}.depthwise, .pointwise, each with
/// .branch{0..}, .scale and .skip where it is not merged, and .gate.reduce, .gate.expand.
/// </summary>
internal static class MobileOne
{
    public static Features Build(MobileOneSpec spec, Layers layers, Value image)
    {
        // The stem has one branch, however many the blocks have.
        var stem = new BranchSpec(Math.Min(spec.Branches, 1), Scale: true, Skip: false);
        Value x = layers.Merged(image, "backbone.stem", 3, stem, spec.Activation, stride: 2);
        Value? lowLevel = null;
        for (int stage = 0; stage < spec.Blocks.Count; stage++)
        {
            for (int block = 0; block < spec.Blocks[stage]; block++)
                x = Block(spec, layers, x, stage, block);
            if (stage == 0)
                lowLevel = x;
        }
        return new Features(lowLevel, x);
    }

    private static Value Block(MobileOneSpec spec, Layers layers, Value x, int stage, int block)
    {
        string name = $"backbone.stage{stage + 1}.{block}";
        bool first = block == 0;
        bool gated = spec.Blocks[stage] - block <= spec.Gated.ElementAtOrDefault(stage);
        DilationPlan.Stage plan = spec.Stages[stage];
        x = Convolution(
            $"{name}.depthwise", 3, new(spec.Branches, Scale: true, Skip: !first), first ? plan.Stride : 1,
            first ? plan.FirstDilation : plan.Dilation, x.Shape.Channels);
        bool skips = !first || spec.KeepsWidth.ElementAtOrDefault(stage);
        return Convolution($"{name}.pointwise", 1, new(spec.Branches, Scale: false, skips), 1, 1, 1);

        Value Convolution(string layer, int kernel, BranchSpec branches, int stride, int dilation, int groups)
        {
            Value y = layers.Merged(
                x, layer, kernel, branches, gated ? Activation.None : spec.Activation, stride, dilation, groups);
            return gated
                ? layers.Activate(
                    SqueezeExcite.Build(spec.Gate, layers, y, $"{layer}.gate"), $"{layer}.gate", spec.Activation)
                : y;
        }
    }
}
