using Atrous.Tensors;

namespace Atrous.Onnx;

/// <summary>
/// A bias as whole numbers, which runtimes add to the sums of a convolution of bytes: in steps of the input's times the
/// weights' of that channel.
/// </summary>
/// <param name="Kernel">The weights, some channels perhaps in other steps than before.</param>
/// <param name="Values">One for each output channel.</param>
/// <param name="Steps">What they are multiplied by.</param>
internal sealed record WholeBias(QuantizedKernel Kernel, int[] Values, float[] Steps)
{
    /// <summary>The largest magnitude; room is left for the sum that it is added to.</summary>
    private const double Largest = 1 << 30;

    /// <summary>
    /// Rounds a bias. Of a channel whose steps are so small that it would be no int32 the weights are next to nothing
    /// beside it, and get larger ones; a channel without weights gets those that suit its bias.
    /// </summary>
    /// <param name="kernel">The weights as they are on the processor.</param>
    /// <param name="bias">One number for each output channel.</param>
    /// <param name="step">The step of the convolution's input.</param>
    public static WholeBias Of(QuantizedKernel kernel, float[] bias, float step)
    {
        sbyte[] weights = [.. kernel.Values];
        float[] steps = [.. kernel.Steps], products = new float[bias.Length];
        var values = new int[bias.Length];
        int size = weights.Length / bias.Length;
        for (int o = 0; o < bias.Length; o++)
        {
            Span<sbyte> channel = weights.AsSpan(o * size, size);
            float least = (float)(Math.Abs((double)bias[o]) / step / Largest);
            if (least > steps[o])
            {
                foreach (ref sbyte weight in channel)
                    weight = (sbyte)MathF.Round(weight * (steps[o] / least));
                steps[o] = least;
            }
            else if (least > 0 && !channel.ContainsAnyExcept((sbyte)0))
            {
                steps[o] = least;
            }
            products[o] = step * steps[o];
            values[o] = (int)Math.Round((double)bias[o] / products[o]);
        }
        return new WholeBias(new QuantizedKernel(weights, steps), values, products);
    }
}
