using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Models.Blocks;

/// <summary>
/// ResNeSt's window, Zhang et al. 2020 (arXiv:2004.08955), figure 2, in timm's order of channels. A stride is that of a
/// mean over 3x3 behind it, or in front. Layers: .splits (in groups), .squeeze, .select.
/// </summary>
internal static class SplitAttention
{
    public static Value Build(
        ResNetSpec spec, Layers layers, Value x, string name, int stride, int dilation)
    {
        int channels = x.Shape.Channels, splits = spec.Splits, groups = spec.SplitGroups;
        if (spec.PoolsBeforeSplits)
            x = Strided(x);
        Value parts = layers.Grouped(
            x, $"{name}.splits", 3, spec.Activation, dilation: dilation, outputs: splits * channels);
        Value y = SliceAttention.Build(layers, parts, splits, name, mean =>
        {
            Value narrow = layers.Convolution(
                mean, $"{name}.squeeze", 1, spec.Activation, groups: groups, bias: true);
            Value scores = layers.Convolution(
                narrow, $"{name}.select", 1, Activation.None, groups: groups, norm: false, bias: true,
                outputs: splits * channels);
            return BySplits(layers, scores, name, splits, groups);
        });
        return spec.PoolsBeforeSplits ? y : Strided(y);

        Value Strided(Value value) =>
            stride == 1 ? value : layers.MeanWithZeros(value, $"{name}.pool", 3, stride, Padding.Symmetric(1));
    }

    /// <summary>Scores come by groups, the splits of each together; the splits have their groups together.</summary>
    private static Value BySplits(Layers layers, Value scores, string name, int splits, int groups)
    {
        if (splits == 1 || groups == 1)
            return scores;
        int width = scores.Shape.Channels / (splits * groups);
        var parts = new List<Value>();
        for (int split = 0; split < splits; split++)
        {
            for (int group = 0; group < groups; group++)
            {
                parts.Add(layers.Slice(
                    scores, $"{name}.scores{split}.{group}", (group * splits + split) * width, width));
            }
        }
        return layers.Concat($"{name}.scores", [.. parts]);
    }
}
