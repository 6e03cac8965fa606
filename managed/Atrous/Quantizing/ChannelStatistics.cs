using System.Numerics;
using System.Runtime.InteropServices;
using Atrous.Native;

namespace Atrous.Quantizing;

/// <summary>The range and the mean of each channel of a value, over some pictures.</summary>
internal sealed unsafe class ChannelStatistics(int channels)
{
    private readonly float[] _low = Filled(channels, float.PositiveInfinity);
    private readonly float[] _high = Filled(channels, float.NegativeInfinity);
    private readonly double[] _sums = new double[channels];
    private readonly Lock _lock = new();
    private long _pixels;

    /// <summary>The lowest number of any channel.</summary>
    public float Low => _low.Min();

    /// <summary>The highest number of any channel.</summary>
    public float High => _high.Max();

    /// <summary>The mean of each channel.</summary>
    public double[] Means => [.. _sums.Select(sum => sum / Math.Max(_pixels, 1))];

    /// <summary>The lowest number of each channel.</summary>
    public IReadOnlyList<float> Lows => _low;

    /// <summary>The highest number of each channel.</summary>
    public IReadOnlyList<float> Highs => _high;

    /// <summary>Looks at all pixels of a float32 value.</summary>
    public void Add(NativeTensor value)
    {
        int rows = value.Batch * value.Height;
        _pixels += (long)rows * value.Width;
        Parallel.For(0, rows, () => new Part(channels), (row, _, part) =>
        {
            for (int x = 0; x < value.Width; x++)
            {
                float* pixel = (float*)value.Data + ((long)row * value.Width + x) * value.PixelStride;
                part.Add(new ReadOnlySpan<float>(pixel, channels));
            }
            part.EndRow();
            return part;
        }, Merge);
    }

    private void Merge(Part part)
    {
        lock (_lock)
        {
            for (int c = 0; c < channels; c++)
            {
                _low[c] = MathF.Min(_low[c], part.Low[c]);
                _high[c] = MathF.Max(_high[c], part.High[c]);
                _sums[c] += part.Sums[c];
            }
        }
    }

    private static float[] Filled(int count, float value)
    {
        var values = new float[count];
        Array.Fill(values, value);
        return values;
    }

    /// <summary>What one thread has seen.</summary>
    private sealed class Part(int channels)
    {
        private readonly float[] _row = new float[channels];

        public float[] Low { get; } = Filled(channels, float.PositiveInfinity);

        public float[] High { get; } = Filled(channels, float.NegativeInfinity);

        public double[] Sums { get; } = new double[channels];

        public void Add(ReadOnlySpan<float> pixel)
        {
            ReadOnlySpan<Vector<float>> whole = MemoryMarshal.Cast<float, Vector<float>>(pixel);
            Span<Vector<float>> low = MemoryMarshal.Cast<float, Vector<float>>(Low.AsSpan());
            Span<Vector<float>> high = MemoryMarshal.Cast<float, Vector<float>>(High.AsSpan());
            Span<Vector<float>> row = MemoryMarshal.Cast<float, Vector<float>>(_row.AsSpan());
            for (int i = 0; i < whole.Length; i++)
            {
                low[i] = Vector.Min(low[i], whole[i]);
                high[i] = Vector.Max(high[i], whole[i]);
                row[i] += whole[i];
            }
            for (int c = whole.Length * Vector<float>.Count; c < pixel.Length; c++)
            {
                Low[c] = MathF.Min(Low[c], pixel[c]);
                High[c] = MathF.Max(High[c], pixel[c]);
                _row[c] += pixel[c];
            }
        }

        /// <summary>Long sums are of double.</summary>
        public void EndRow()
        {
            for (int c = 0; c < channels; c++)
                Sums[c] += _row[c];
            Array.Clear(_row);
        }
    }
}
