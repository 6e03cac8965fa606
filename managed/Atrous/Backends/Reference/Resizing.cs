using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>
/// Bilinear interpolation as torch's upsample_bilinear2d: the scale is a float32, because that rounding is part of
/// every framework's result; everything after it is computed in double. The asymmetric grid's coordinate is a float32
/// too, as in TensorFlow's image_resizer_state.h.
/// </summary>
internal static class Resizing
{
    public static void Bilinear(ResizeBilinear resize, Tensor input, Tensor output)
    {
        Shape shape = output.Shape;
        Tap[] rows = Taps(resize, input.Shape.Height, shape.Height),
            columns = Taps(resize, input.Shape.Width, shape.Width);
        Parallel.For(0, shape.Batch * shape.Height, line =>
        {
            (int image, int y) = Math.DivRem(line, shape.Height);
            Tap row = rows[y];
            for (int x = 0; x < shape.Width; x++)
            {
                Tap column = columns[x];
                for (int c = 0; c < shape.Channels; c++)
                {
                    double top =
                        Mix(column.Weight, input[image, row.First, column.First, c],
                        input[image, row.First, column.Second, c]);
                    double bottom =
                        Mix(column.Weight, input[image, row.Second, column.First, c],
                        input[image, row.Second, column.Second, c]);
                    output[image, y, x, c] = (float)Mix(row.Weight, top, bottom);
                }
            }
        });
    }

    /// <summary>
    /// The same of elements: float32 weights, columns before rows, each product and sum rounded, ties to even at the
    /// end.
    /// </summary>
    public static unsafe void BilinearBytes(ResizeBilinear resize, Tensor input, Tensor output)
    {
        Shape shape = output.Shape;
        Tap[] rows = Taps(resize, input.Shape.Height, shape.Height),
            columns = Taps(resize, input.Shape.Width, shape.Width);
        Parallel.For(0, shape.Batch * shape.Height, line =>
        {
            (int image, int y) = Math.DivRem(line, shape.Height);
            byte* to = output.Pointer + (long)line * shape.Width * shape.Channels;
            for (int x = 0; x < shape.Width; x++)
            {
                for (int c = 0; c < shape.Channels; c++)
                {
                    float top = Across(rows[y].First, x, c), bottom = Across(rows[y].Second, x, c);
                    *to++ = Bytes.Rounded(Mixed(rows[y].Weight, top, bottom), 0, byte.MaxValue);
                }
            }

            float Across(int row, int x, int c) =>
                Mixed(columns[x].Weight, At(row, columns[x].First, c), At(row, columns[x].Second, c));

            float At(int row, int column, int c) => input.Pointer[
                (((long)image * input.Shape.Height + row) * input.Shape.Width + column) * input.Shape.Channels + c];
        });
    }

    private static float Mixed(double weight, float first, float second)
    {
        var share = (float)weight;
        return (1 - share) * first + share * second;
    }

    private static double Mix(double weight, double first, double second) => (1 - weight) * first + weight * second;

    private static Tap[] Taps(ResizeBilinear resize, int input, int output)
    {
        float scale = resize switch
        {
            { Sampling: Sampling.AlignCorners } => output > 1 ? (float)(input - 1) / (output - 1) : 0,
            { Scale: > 0 } => resize.Scale,
            _ => (float)input / output,
        };
        var taps = new Tap[output];
        for (int i = 0; i < output; i++)
        {
            double source = resize.Sampling switch
            {
                Sampling.HalfPixel => Math.Max(scale * (i + 0.5) - 0.5, 0),
                Sampling.Asymmetric => scale * i,
                _ => (double)scale * i,
            };
            int first = Math.Min((int)source, input - 1);
            taps[i] = new Tap(first, Math.Min(first + 1, input - 1), Math.Min(source - first, 1));
        }
        return taps;
    }

    /// <summary>The two input lines that an output line mixes, and the second one's share.</summary>
    private readonly record struct Tap(int First, int Second, double Weight);
}
