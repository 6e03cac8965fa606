namespace Atrous.Tensors;

/// <summary>
/// A convolution's weights as int8: symmetric, with a step for each output channel. libatrous makes the same of the
/// same floats.
/// </summary>
/// <param name="Values">The weights in the order of the floats, from -127 to 127.</param>
/// <param name="Steps">What they are multiplied by, one for each output channel.</param>
internal sealed record QuantizedKernel(sbyte[] Values, float[] Steps)
{
    private const int Largest = 127;

    /// <summary>Rounds weights; those that were rounded before come out as they are.</summary>
    /// <param name="weights">OIHW; the channels one after the other.</param>
    /// <param name="channels">The number of output channels.</param>
    /// <param name="scale">Multiplies each channel first; null for 1.</param>
    public static QuantizedKernel Of(ReadOnlySpan<float> weights, int channels, float[]? scale = null)
    {
        var values = new sbyte[weights.Length];
        var steps = new float[channels];
        int size = weights.Length / channels;
        for (int o = 0; o < channels; o++)
        {
            float factor = scale?[o] ?? 1, largest = 0;
            ReadOnlySpan<float> channel = weights.Slice(o * size, size);
            foreach (float weight in channel)
                largest = MathF.Max(largest, MathF.Abs(weight * factor));
            float step = largest > 0 ? largest / Largest : 1;
            steps[o] = step;
            for (int i = 0; i < size; i++)
                values[o * size + i] = (sbyte)MathF.Round(channel[i] * factor / step);
        }
        return new QuantizedKernel(values, steps);
    }
}
