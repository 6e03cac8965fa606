using Atrous.Native;

namespace Atrous.Quantizing;

/// <summary>How often the numbers of some values lie where, between two ends that none of them is beyond.</summary>
internal sealed unsafe class Histogram
{
    /// <summary>
    /// Eight times as many as there are elements, so that ranges can be told apart well within a step.
    /// </summary>
    public const int Bins = 2048;

    /// <summary>Of a larger value every so many pixels are looked at.</summary>
    private const long MostNumbers = 1 << 20;

    private readonly long[] _counts = new long[Bins];
    private readonly Lock _lock = new();

    /// <summary>An empty histogram.</summary>
    public Histogram(double low, double high)
    {
        Low = Math.Min(low, 0);
        High = Math.Max(Math.Max(high, 0), Low + double.Epsilon);
    }

    /// <summary>The lower end, at most 0.</summary>
    public double Low { get; }

    /// <summary>The upper end, at least 0.</summary>
    public double High { get; }

    /// <summary>The width of a bin.</summary>
    public double Width => (High - Low) / Bins;

    /// <summary>How many numbers lie in each bin.</summary>
    public IReadOnlyList<long> Counts => _counts;

    /// <summary>The middle of a bin.</summary>
    public double Middle(int bin) => Low + (bin + 0.5) * Width;

    /// <summary>Counts the numbers of a float32 value.</summary>
    public void Add(NativeTensor value)
    {
        long pixels = (long)value.Batch * value.Height * value.Width;
        long every = Math.Max(1, pixels * value.Channels / MostNumbers);
        float low = (float)Low, scale = (float)(1 / Width);
        if (!float.IsFinite(scale))
            return;
        const int parts = 8;
        long looked = (pixels + every - 1) / every;
        Parallel.For(0, parts, part =>
        {
            var counts = new long[Bins];
            for (long i = looked * part / parts; i < looked * (part + 1) / parts; i++)
            {
                float* pixel = (float*)value.Data + i * every * value.PixelStride;
                for (int c = 0; c < value.Channels; c++)
                    counts[Math.Clamp((int)((pixel[c] - low) * scale), 0, Bins - 1)]++;
            }
            lock (_lock)
            {
                for (int bin = 0; bin < Bins; bin++)
                    _counts[bin] += counts[bin];
            }
        });
    }
}
