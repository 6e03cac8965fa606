using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Quantizing;

/// <summary>
/// Rounding a kernel moves the mean of what it makes by the rounding times the mean of what it reads; the bias takes
/// that back (Nagel et al. 2019, arXiv:1906.04721, section 4.2). Exact but at the picture's edges.
/// </summary>
internal static class BiasCorrection
{
    /// <summary>What to add to the bias of each output channel.</summary>
    /// <param name="conv">The convolution, with its weights in float32.</param>
    /// <param name="means">The mean of each channel of its input.</param>
    public static float[] Of(Conv2d conv, double[] means)
    {
        float[] weights = conv.Kernel.ToArray();
        QuantizedKernel rounded = QuantizedKernel.Of(weights, conv.OutChannels, conv.Scale);
        int inputs = conv.Kernel.Shape[1], taps = conv.KernelHeight * conv.KernelWidth;
        var correction = new float[conv.OutChannels];
        for (int o = 0; o < correction.Length; o++)
        {
            int first = o / (conv.OutChannels / conv.Groups) * inputs;
            double moved = 0, scale = conv.Scale?[o] ?? 1.0;
            for (int i = 0; i < inputs; i++)
            {
                double lost = 0;
                for (int tap = 0; tap < taps; tap++)
                {
                    int at = (o * inputs + i) * taps + tap;
                    lost += weights[at] * scale - (double)rounded.Values[at] * rounded.Steps[o];
                }
                moved += lost * means[first + i];
            }
            correction[o] = (float)moved;
        }
        return correction;
    }
}
