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
    public static DeepLabV3PlusHeadSpec V3Plus(IReadOnlyList<int> rates, Sampling grid) => new()
    {
        Aspp = Aspp(rates, grid),
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

    /// <summary>
    /// The switch of the atrous rates, which no weight tells: what modules say that were saved whole, else what the
    /// repository's own code takes.
    /// </summary>
    /// <param name="choice">What the user overrides.</param>
    /// <param name="weights">The tensors that may know the modules that they are of.</param>
    /// <param name="standard">What the repository's code takes, at this output stride.</param>
    /// <param name="code">The same in words, for `info`.</param>
    /// <param name="kernels">The names that an atrous branch's kernel may have; branches count from 1.</param>
    public static int[] Rates(
        this DialectChoice choice, IWeightSource weights, int[] standard, string code, Func<int, string[]> kernels)
    {
        Standard<int[]> rates = standard;
        // Rates that follow the output stride go with the one that the user asks for, whatever the saved modules had.
        if (StatedRates(weights, standard.Length, kernels) is { } stated
            && !(choice.IsStrideGiven && IsStandard(standard) && IsStandard(stated.Value)))
            rates = stated;
        return choice.Numbers("rates", rates, $"the atrous rates; the repository's own code has {code}");
    }

    /// <summary>The switch of three rates that follow the output stride, as the paper's do.</summary>
    /// <inheritdoc cref="Rates(DialectChoice, IWeightSource, int[], string, Func{int, string[]})"/>
    public static int[] Rates(
        this DialectChoice choice, IWeightSource weights, int outputStride, Func<int, string[]> kernels) =>
        choice.Rates(
            weights, AsppSpec.StandardRates(outputStride), "6,12,18 at output stride 16 and 12,24,36 at 8", kernels);

    private static bool IsStandard(int[] rates) =>
        rates.SequenceEqual(AsppSpec.StandardRates(8)) || rates.SequenceEqual(AsppSpec.StandardRates(16));

    /// <summary>A file's 3x3 convolutions: separable where it has the kernel of a separable part, else dense.</summary>
    public static ConvolutionStyle Style(IWeightSource weights, string part, ConvolutionStyle separable) =>
        weights.Has(part) ? separable : ConvolutionStyle.Dense;
}
