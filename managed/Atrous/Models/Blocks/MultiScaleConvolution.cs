using System.Globalization;
using Atrous.Graph;
using Atrous.Graph.Ops;

namespace Atrous.Models.Blocks;

/// <summary>
/// Res2Net's window, Gao et al. 2019 (arXiv:1904.01169), figure 2b: the channels in slices, each convolved together
/// with the result of the slice before; the last one passes through. Layers: .0, .1 and so on.
/// </summary>
internal static class MultiScaleConvolution
{
    /// <summary>Appends it.</summary>
    /// <param name="layers">What layers are appended by.</param>
    /// <param name="x">The value whose channels are cut.</param>
    /// <param name="name">The canonical name of all of it.</param>
    /// <param name="scales">The number of slices.</param>
    /// <param name="activation">The function after every convolution.</param>
    /// <param name="stride">The stride of every convolution.</param>
    /// <param name="dilation">The dilation of every convolution.</param>
    /// <param name="first">
    /// A stage's first block: slices are convolved apart, and the last one is a mean over 3x3, of the block's stride.
    /// </param>
    public static Value Build(
        Layers layers, Value x, string name, int scales, Activation activation, int stride, int dilation, bool first)
    {
        int width = x.Shape.Channels / scales;
        var results = new List<Value>();
        for (int i = 0; i < scales - 1; i++)
        {
            string layer = string.Create(CultureInfo.InvariantCulture, $"{name}.{i}");
            Value slice = layers.Slice(x, $"{layer}.slice", i * width, width);
            if (i > 0 && !first)
                slice = layers.Add(results[^1], slice, layer, Activation.None);
            results.Add(layers.Grouped(slice, layer, 3, activation, stride, dilation));
        }
        Value last = layers.Slice(x, $"{name}.last", (scales - 1) * width, width);
        results.Add(first ? layers.MeanWithZeros(last, $"{name}.pool", 3, stride, Padding.Symmetric(1)) : last);
        return layers.Concat($"{name}.concat", [.. results]);
    }
}
