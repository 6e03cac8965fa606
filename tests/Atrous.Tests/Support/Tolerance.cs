using System.Globalization;
using Atrous.Verification;

namespace Atrous.Tests.Support;

/// <summary>How far two results are apart, in units of the expected result's standard deviation.</summary>
/// <param name="MaxAbsolute">The largest |actual - expected|; infinite where either is not a number.</param>
/// <param name="Rms">Root of the mean squared difference.</param>
/// <param name="Std">The standard deviation that the two are measured in.</param>
/// <param name="Worst">The index of the largest difference.</param>
/// <param name="Actual">The actual value there.</param>
/// <param name="Expected">The expected value there.</param>
public sealed record Difference(double MaxAbsolute, double Rms, double Std, int Worst, float Actual, float Expected)
{
    /// <summary>The largest difference in standard deviations.</summary>
    public double Max => MaxAbsolute == 0 ? 0 : MaxAbsolute / Std;

    /// <summary>The root mean square of the difference in standard deviations.</summary>
    public double RelativeRms => Rms == 0 ? 0 : Rms / Std;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"max|d|/std {Max:0.00e+00} (|d| {MaxAbsolute:0.00e+00} at {Worst}: {Actual:R}, expected {Expected:R}), " +
        $"rms/std {RelativeRms:0.00e+00}, std {Std:0.###e+00}");
}

/// <summary>Compares results with a stated tolerance.</summary>
public static class Tolerance
{
    /// <summary>
    /// Float32 kernels against the framework's own result: ten times the worst noise that two float32 runs show.
    /// </summary>
    public const double Network = 1e-4;

    /// <summary>
    /// Measures the difference. <paramref name="std"/> is computed from the expected values where it is not given.
    /// </summary>
    public static Difference Measure(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double? std = null)
    {
        Assert.Equal(expected.Length, actual.Length);
        double max = 0, squares = 0;
        int worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            if (double.IsNaN(difference))
                difference = double.PositiveInfinity;
            squares += difference * difference;
            if (difference > max)
                (max, worst) = (difference, i);
        }
        double rms = Math.Sqrt(squares / Math.Max(expected.Length, 1));
        return expected.IsEmpty
            ? new(0, 0, 1, 0, 0, 0)
            : new(max, rms, std ?? TensorError.Unit(expected), worst, actual[worst], expected[worst]);
    }

    /// <summary>
    /// Fails, with a report, where the largest difference is above <paramref name="limit"/> standard deviations.
    /// </summary>
    public static Difference AssertWithin(
        double limit, ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, string what, double? std = null)
    {
        Difference difference = Measure(actual, expected, std);
        // Written so that a NaN fails.
        Assert.True(difference.Max <= limit, $"{what}: {difference}, limit {limit:0.0e+00}");
        return difference;
    }
}
