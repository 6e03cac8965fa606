using Atrous.Tensors;

namespace Atrous.Scoring;

/// <summary>The mean of a picture's features, from those of its parts.</summary>
internal sealed class PooledContext
{
    private double[] _sums = [];
    private double _weight;

    /// <summary>The mean; one number per feature.</summary>
    public float[] Mean => [.. _sums.Select(sum => (float)(sum / _weight))];

    /// <summary>Adds a part, whose features each count as the pixel that they lie on.</summary>
    /// <param name="features">[1, h, w, features].</param>
    /// <param name="rows">A weight per row of the part.</param>
    /// <param name="columns">A weight per column of the part.</param>
    /// <param name="mirrored">The features are those of the part's mirror image.</param>
    public void Add(Tensor features, ReadOnlySpan<float> rows, ReadOnlySpan<float> columns, bool mirrored)
    {
        (_, int height, int width, int count) = features.Shape;
        if (_sums.Length == 0)
            _sums = new double[count];
        for (int y = 0; y < height; y++)
        {
            float row = rows[Pixel(y, height, rows.Length)];
            ReadOnlySpan<float> from = features.Row(0, y);
            for (int x = 0; x < width; x++)
            {
                int column = Pixel(mirrored ? width - 1 - x : x, width, columns.Length);
                double weight = row * columns[column];
                _weight += weight;
                for (int c = 0; c < count; c++)
                    _sums[c] += weight * from[x * count + c];
            }
        }
    }

    private static int Pixel(int i, int count, int pixels) => (int)((2L * i + 1) * pixels / (2L * count));
}
