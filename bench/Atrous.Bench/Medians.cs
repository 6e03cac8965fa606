namespace Atrous.Bench;

/// <summary>What the commands share.</summary>
internal static class Medians
{
    /// <summary>Of an even number the mean of the two in the middle.</summary>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>One sentence for the person who measures.</summary>
internal sealed class BenchException(string message) : Exception(message);
