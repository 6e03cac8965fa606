using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>Heads as the field's papers define them.</summary>
internal static class HeadShapes
{
    /// <summary>
    /// DeepLabV3+ of the paper (arXiv:1802.02611): ASPP with image pooling, two dense 3x3 convolutions in the decoder,
    /// and one grid for every resize.
    /// </summary>
    public static DeepLabV3PlusHeadSpec V3Plus(int outputStride, Sampling grid) => new()
    {
        Aspp = Aspp(AsppSpec.StandardRates(outputStride), grid),
        Sampling = grid,
    };

    /// <summary>ASPP with image pooling that is resized back on a grid.</summary>
    public static AsppSpec Aspp(IReadOnlyList<int> rates, Sampling grid) =>
        new() { Rates = rates, ImagePooling = new ImagePoolingSpec { Sampling = grid } };

    /// <summary>
    /// The rates of the atrous branches, where a module that was saved whole has them all; else null.
    /// </summary>
    /// <param name="weights">The tensors that may know the modules that they are of.</param>
    /// <param name="branches">The number of branches.</param>
    /// <param name="kernels">The names that a branch's kernel may have; branches count from 1.</param>
    public static Standard<int[]>? StatedRates(IWeightSource weights, int branches, Func<int, string[]> kernels)
    {
        var rates = new int[branches];
        for (int i = 0; i < branches; i++)
        {
            int? stated = kernels(i + 1).Select(name => weights.Weights.GetValueOrDefault(name)?.Layer?.Dilation)
                .FirstOrDefault(dilation => dilation is not null);
            if (stated is null)
                return null;
            rates[i] = stated.Value;
        }
        return new Standard<int[]>(rates, Switch.Modules);
    }

    /// <summary>A file's 3x3 convolutions: separable where it has the kernel of a separable part, else dense.</summary>
    public static ConvolutionStyle Style(IWeightSource weights, string part, ConvolutionStyle separable) =>
        weights.Has(part) ? separable : ConvolutionStyle.Dense;
}
