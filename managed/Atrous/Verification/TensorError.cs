namespace Atrous.Verification;

/// <summary>How far a tensor is from what it should be, in standard deviations of what it should be.</summary>
/// <param name="Max">The largest difference; infinite where a value is not a number.</param>
/// <param name="Mean">The mean of the absolute differences.</param>
/// <param name="Rms">The root of the mean squared difference.</param>
/// <param name="Std">The standard deviation that they are measured in.</param>
public sealed record TensorError(double Max, double Mean, double Rms, double Std)
{
    /// <summary>Compares element by element.</summary>
    /// <param name="actual">The numbers in question.</param>
    /// <param name="expected">The numbers that they should be, as many and in the same order.</param>
    /// <exception cref="ArgumentException">The two have not the same length, or none.</exception>
    public static TensorError Of(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (actual.Length != expected.Length || expected.IsEmpty)
            throw new ArgumentException(
                $"{actual.Length} values cannot be compared with {expected.Length}.", nameof(actual));
        double max = 0, sum = 0, squares = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            if (double.IsNaN(difference))
                difference = double.PositiveInfinity;
            max = Math.Max(max, difference);
            sum += difference;
            squares += difference * difference;
        }
        double unit = Unit(expected);
        return new TensorError(
            max / unit, sum / expected.Length / unit, Math.Sqrt(squares / expected.Length) / unit, unit);
    }

    /// <summary>What differences are measured in: the standard deviation, or of a constant its own size.</summary>
    internal static double Unit(ReadOnlySpan<float> values)
    {
        double sum = 0, squares = 0;
        foreach (float value in values)
            sum += value;
        double mean = sum / values.Length;
        foreach (float value in values)
            squares += (value - mean) * (value - mean);
        double std = Math.Sqrt(squares / values.Length);
        return std > 1e-6 * Math.Abs(mean) ? std : Math.Max(Math.Abs(mean), float.Epsilon);
    }
}
