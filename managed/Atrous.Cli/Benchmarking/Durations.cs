namespace Atrous.Cli.Benchmarking;

/// <summary>How long each of many runs took.</summary>
internal sealed class Durations
{
    private readonly List<double> _milliseconds = [];

    public int Count => _milliseconds.Count;

    public TimeSpan Total => TimeSpan.FromMilliseconds(_milliseconds.Sum());

    public double Fastest => _milliseconds.Min();

    public double Slowest => _milliseconds.Max();

    /// <summary>In milliseconds; of an even number the mean of the two in the middle.</summary>
    public double Median
    {
        get
        {
            double[] sorted = Sorted();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }

    public void Add(TimeSpan run) => _milliseconds.Add(run.TotalMilliseconds);

    /// <summary>The time in milliseconds within which a share of the runs ended (nearest rank).</summary>
    /// <param name="share">The share of the runs, from 0 (the fastest alone) to 1 (all).</param>
    public double Percentile(double share) => Sorted()[Math.Max((int)Math.Ceiling(share * Count) - 1, 0)];

    private double[] Sorted() => [.. _milliseconds.Order()];
}
