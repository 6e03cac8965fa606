using Atrous.Graph;

namespace Atrous.Quantizing;

/// <summary>A way to choose the range of numbers that 8 bits cover; what lies beyond becomes the nearest end.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Choose">Gives the elements for a histogram.</param>
internal sealed record RangeRule(string Name, Func<Histogram, Quantization> Choose);

/// <summary>
/// The rules that are tried. Which is best differs from value to value: clipping pays where tails are long.
/// </summary>
internal static class RangeRules
{
    /// <summary>How far the ends are drawn in, at most, by the rules that search.</summary>
    private const double Smallest = 0.2, Step = 0.02;

    public static IReadOnlyList<RangeRule> All { get; } =
    [
        new("mean square error", histogram => Search(histogram, SquareError)),
        new("entropy", histogram => Search(histogram, Divergence)),
        new("percentile 99.99", histogram => Percentile(histogram, 1e-4)),
        new("percentile 99.999", histogram => Percentile(histogram, 1e-5)),
        new("extremes", histogram => Quantization.Of(histogram.Low, histogram.High)),
    ];

    /// <summary>The range without a share of the numbers at each end.</summary>
    private static Quantization Percentile(Histogram histogram, double share)
    {
        double beyond = histogram.Counts.Sum() * share;
        int first = 0, last = Histogram.Bins - 1;
        for (double left = 0; first < last && (left += histogram.Counts[first]) <= beyond;)
            first++;
        for (double left = 0; last > first && (left += histogram.Counts[last]) <= beyond;)
            last--;
        return Quantization.Of(
            histogram.Low + first * histogram.Width, histogram.Low + (last + 1) * histogram.Width);
    }

    /// <summary>Draws in one end after the other as long as a cost falls.</summary>
    private static Quantization Search(Histogram histogram, Func<Histogram, Quantization, double> cost)
    {
        double low = 1, high = 1;
        for (int turn = 0; turn < 2; turn++)
        {
            high = Best(factor => cost(histogram, Of(low, factor)));
            if (histogram.Low < 0)
                low = Best(factor => cost(histogram, Of(factor, high)));
        }
        return Of(low, high);

        Quantization Of(double ofLow, double ofHigh) =>
            Quantization.Of(histogram.Low * ofLow, histogram.High * ofHigh);
    }

    private static double Best(Func<double, double> cost)
    {
        double best = 1, least = cost(1);
        for (double factor = 1 - Step; factor >= Smallest; factor -= Step)
        {
            double tried = cost(factor);
            if (tried < least)
                (best, least) = (factor, tried);
        }
        return best;
    }

    private static double SquareError(Histogram histogram, Quantization quantization)
    {
        double sum = 0;
        for (int bin = 0; bin < Histogram.Bins; bin++)
        {
            if (histogram.Counts[bin] == 0)
                continue;
            double number = histogram.Middle(bin);
            double error = number - quantization.Step * (Element(number, quantization) - quantization.Zero);
            sum += error * error * histogram.Counts[bin];
        }
        return sum;
    }

    /// <summary>
    /// How much of the distribution is lost (Migacz 2017, "8-bit inference with TensorRT"): of the numbers of an
    /// element only their mean number is left, and what was clipped lies at the ends.
    /// </summary>
    private static double Divergence(Histogram histogram, Quantization quantization)
    {
        Span<double> kept = stackalloc double[Quantization.Largest + 1];
        Span<int> used = stackalloc int[Quantization.Largest + 1];
        kept.Clear();
        used.Clear();
        double total = 0;
        double lowest = quantization.Step * (-0.5 - quantization.Zero);
        double highest = quantization.Step * (Quantization.Largest + 0.5 - quantization.Zero);
        for (int bin = 0; bin < Histogram.Bins; bin++)
        {
            long count = histogram.Counts[bin];
            total += count;
            double number = histogram.Middle(bin);
            if (count == 0 || number < lowest || number > highest)
                continue;
            int element = Element(number, quantization);
            kept[element] += count;
            used[element]++;
        }
        double lost = 0, clippedLow = 0, clippedHigh = 0;
        for (int bin = 0; bin < Histogram.Bins; bin++)
        {
            long count = histogram.Counts[bin];
            double number = histogram.Middle(bin);
            if (number < lowest)
                clippedLow += count;
            else if (number > highest)
                clippedHigh += count;
            else if (count > 0)
                lost += Term(count, kept[Element(number, quantization)] / used[Element(number, quantization)]);
        }
        // What is clipped counts as seven nats: much, and not infinitely much.
        double clipped = Term(clippedLow, 1e-3 * clippedLow) + Term(clippedHigh, 1e-3 * clippedHigh);
        return (lost + clipped) / Math.Max(total, 1);
    }

    private static double Term(double count, double left) => count > 0 ? count * Math.Log(count / left) : 0;

    private static int Element(double number, Quantization quantization) => (int)Math.Clamp(
        Math.Round(number / quantization.Step) + quantization.Zero, 0, Quantization.Largest);
}
