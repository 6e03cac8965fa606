using Atrous.Imaging;
using Atrous.Specs;

namespace Atrous.Preprocessing;

/// <summary>
/// A picture of 16 bits a channel, or of bands that are floats, on its way into a network. Nothing is rounded to bytes:
/// it is resized in float32, by the filters by which libatrous resizes bytes, and of 16 bits a value of 257 * v is what
/// v is in a picture of bytes.
/// </summary>
/// <param name="picture">The picture, with its lower bits or its bands.</param>
/// <param name="filter">Brings it to the size that the plan asks for.</param>
internal sealed class DeepPicture(Image picture, ResizeFilter filter)
{
    private const float ToByte = 257;

    private readonly int _channels = picture.Bands;

    // Bands need not lie where bytes do.
    private readonly float _least = picture.Samples is null ? 0 : float.MinValue;
    private readonly float _most = picture.Samples is null ? byte.MaxValue : float.MaxValue;

    /// <summary>Writes a network's input of the picture.</summary>
    /// <param name="spec">What the network wants.</param>
    /// <param name="fill">What lies around the picture, per channel of the network, as a byte's value.</param>
    /// <param name="order">The picture's channel for each channel of the network.</param>
    /// <param name="plan">The size of the input, and the picture's place in it.</param>
    /// <param name="target">Gets plan.Height * plan.Width * spec.Channels numbers.</param>
    public void Write(PreprocessingSpec spec, float[] fill, int[] order, PreprocessingPlan plan, Span<float> target)
    {
        PictureWindow window = plan.Window;
        float[] around = [.. fill.Select((value, c) => Normalized(spec, c, value))];
        for (int at = 0; at < target.Length; at += order.Length)
            around.CopyTo(target[at..]);
        float[] narrow = ResizeWidth(window.Width);
        DeepTaps rows = DeepTaps.Of(filter, picture.Height, window.Height);
        float[] row = new float[window.Width * _channels];
        for (int y = 0; y < window.Height; y++)
        {
            Array.Clear(row);
            foreach ((int source, float weight) in rows.Of(y))
            {
                ReadOnlySpan<float> from = narrow.AsSpan(source * row.Length, row.Length);
                for (int i = 0; i < row.Length; i++)
                    row[i] += from[i] * weight;
            }
            Span<float> to = target.Slice(
                ((window.Top + y) * plan.Width + window.Left) * order.Length, window.Width * order.Length);
            for (int x = 0; x < window.Width; x++)
            {
                for (int c = 0; c < order.Length; c++)
                {
                    float value = Math.Clamp(row[x * _channels + order[c]], _least, _most);
                    to[x * order.Length + c] = Normalized(spec, c, value);
                }
            }
        }
    }

    /// <summary>All rows at that width, as a byte's value.</summary>
    private float[] ResizeWidth(int width)
    {
        DeepTaps columns = DeepTaps.Of(filter, picture.Width, width);
        long size = (long)picture.Height * width * _channels;
        if (size > Array.MaxLength)
            throw new ImageException($"A picture of 16 bits a channel and {size} values is too large; scale it down.");
        if (picture.Samples is { } samples && picture.Width == width)
            return samples;
        var narrow = new float[size];
        Parallel.For(0, picture.Height, () => new float[picture.Width * _channels], (y, _, row) =>
        {
            Read(y, row);
            Span<float> to = narrow.AsSpan(y * width * _channels, width * _channels);
            for (int x = 0; x < width; x++)
            {
                foreach ((int source, float weight) in columns.Of(x))
                {
                    for (int c = 0; c < _channels; c++)
                        to[x * _channels + c] += row[source * _channels + c] * weight;
                }
                // As bytes, whose sums are cut off at both ends after each pass: a cubic overshoots.
                for (int c = 0; c < _channels; c++)
                    to[x * _channels + c] = Math.Clamp(to[x * _channels + c], _least, _most);
            }
            return row;
        }, _ => { });
        return narrow;
    }

    /// <summary>A row of the picture, as a byte's value.</summary>
    private void Read(int y, float[] row)
    {
        if (picture.Samples is { } samples)
        {
            samples.AsSpan(y * row.Length, row.Length).CopyTo(row);
            return;
        }
        ReadOnlySpan<byte> upper = picture.Row(y), lower = picture.Lower!.Row(y);
        for (int at = 0; at < row.Length; at++)
            row[at] = (upper[at] << 8 | lower[at]) / ToByte;
    }

    /// <summary>As libatrous has it: a scale that is the float nearest to 1/255 means that division.</summary>
    private static float Normalized(PreprocessingSpec spec, int channel, float value)
    {
        float scale = spec.Scale, divisor = MathF.Round(2 / scale, MidpointRounding.AwayFromZero) / 2;
        float scaled = 1 / divisor == scale ? value / divisor : value * scale;
        return (scaled - spec.Mean[channel]) / spec.Std[channel];
    }
}

/// <summary>What each place of a resized line is made of.</summary>
internal sealed class DeepTaps
{
    private readonly (int Source, float Weight)[][] _taps;

    private DeepTaps((int Source, float Weight)[][] taps) => _taps = taps;

    /// <summary>The sources of a place, whose weights add up to 1.</summary>
    public ReadOnlySpan<(int Source, float Weight)> Of(int place) => _taps[place];

    /// <summary>The taps of a filter from a size to another.</summary>
    public static DeepTaps Of(ResizeFilter filter, int from, int to)
    {
        double scale = (double)from / to;
        var taps = new (int, float)[to][];
        for (int place = 0; place < to; place++)
        {
            taps[place] = from == to ? [(place, 1)]
                : filter == ResizeFilter.BilinearPlain ? Plain((place + 0.5) * scale - 0.5, from)
                : Antialiased(filter, (place + 0.5) * scale, Math.Max(scale, 1), from);
        }
        return new DeepTaps(taps);
    }

    private static (int, float)[] Plain(double at, int size)
    {
        at = Math.Clamp(at, 0, size - 1.0);
        int first = Math.Min((int)at, Math.Max(size - 2, 0));
        return size == 1 ? [(0, 1)] : [(first, (float)(1 - (at - first))), (first + 1, (float)(at - first))];
    }

    /// <summary>Pillow's: the filter widens when shrinking.</summary>
    private static (int, float)[] Antialiased(ResizeFilter filter, double center, double widening, int size)
    {
        double support = (filter == ResizeFilter.Bicubic ? 2 : 1) * widening, sum = 0;
        int first = Math.Max((int)(center - support + 0.5), 0), end = Math.Min((int)(center + support + 0.5), size);
        double[] weights = new double[end - first];
        for (int i = 0; i < weights.Length; i++)
        {
            double x = Math.Abs((i + first - center + 0.5) / widening);
            weights[i] = filter == ResizeFilter.Bicubic ? Cubic(x) : Math.Max(1 - x, 0);
            sum += weights[i];
        }
        return [.. weights.Select((weight, i) => (first + i, (float)(sum != 0 ? weight / sum : weight)))];
    }

    private static double Cubic(double x) => x < 1 ? (1.5 * x - 2.5) * x * x + 1
        : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5
        : 0;
}
