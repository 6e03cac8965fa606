namespace Atrous.Graph;

/// <summary>What the elements of an 8-bit value stand for: an element e is <c>Step * (e - Zero)</c>.</summary>
/// <param name="Step">The distance from one element to the next; finite and above 0.</param>
/// <param name="Zero">The element that stands for 0, from 0 to 255.</param>
public readonly record struct Quantization(float Step, int Zero)
{
    /// <summary>The largest element.</summary>
    internal const int Largest = byte.MaxValue;

    // Far from where the quotient of two steps, or 1 and a step, would leave float32's range.
    private const float SmallestStep = 1e-15f, LargestStep = 1e15f;

    /// <summary>Whether a number can be a step.</summary>
    internal static bool IsStep(float step) => step is >= SmallestStep and <= LargestStep;

    /// <summary>The elements that cover a range, of which 0 is always a part: padding is 0 and must be exact.</summary>
    /// <param name="low">The lowest number that needs an element.</param>
    /// <param name="high">The highest number that needs an element.</param>
    internal static Quantization Of(double low, double high)
    {
        low = Math.Min(low, 0);
        high = Math.Max(high, 0);
        // What is always 0 takes any step.
        float step = high > low ? (float)((high - low) / Largest) : 1;
        step = Math.Clamp(step, SmallestStep, LargestStep);
        return new Quantization(step, (int)Math.Clamp(Math.Round(-low / step), 0, Largest));
    }
}

/// <summary>
/// How a network is computed in 8 bits: what was found out on pictures (Jacob et al. 2018, arXiv:1712.05877).
/// </summary>
/// <param name="Values">
/// By the names of the values of the graphs that <c>GraphPasses.FusionsOfLayers</c> and, for other runtimes,
/// <c>GraphPasses.FusionsForExchange</c> make, whatever the picture's size.
/// </param>
/// <param name="Kernels">The names of the weights of the convolutions that multiply in 8 bits.</param>
internal sealed record QuantizationTable(
    IReadOnlyDictionary<string, Quantization> Values, IReadOnlySet<string> Kernels)
{
    /// <summary>
    /// By the names of weights: what is added to the bias of each output channel, so that the rounding of weights does
    /// not move its mean (Nagel et al. 2019, arXiv:1906.04721, section 4.2); empty where the biases have it in them.
    /// </summary>
    public IReadOnlyDictionary<string, float[]> Corrections { get; init; } = new Dictionary<string, float[]>();
}
