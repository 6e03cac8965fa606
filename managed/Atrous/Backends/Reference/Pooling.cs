using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

internal static class Pooling
{
    /// <summary>The largest cell of each window; cells outside the picture never win.</summary>
    public static void Max(MaxPool2d pool, Tensor input, Tensor output)
    {
        Shape inside = input.Shape;
        ForEachCell(output.Shape, (image, y, x, c) =>
        {
            int top = y * pool.Stride - pool.Padding, left = x * pool.Stride - pool.Padding;
            float best = float.NegativeInfinity;
            for (int row = Math.Max(top, 0); row < Math.Min(top + pool.Kernel, inside.Height); row++)
            {
                for (int column = Math.Max(left, 0); column < Math.Min(left + pool.Kernel, inside.Width); column++)
                    best = MathF.Max(best, input[image, row, column, c]);
            }
            output[image, y, x, c] = best;
        });
    }

    /// <summary>The mean of the part of each window that lies inside the picture.</summary>
    public static void Average(int height, int width, int stride, Tensor input, Tensor output) =>
        ForEachCell(output.Shape, (image, y, x, c) =>
        {
            int top = y * stride, bottom = Math.Min(top + height, input.Shape.Height);
            int left = x * stride, right = Math.Min(left + width, input.Shape.Width);
            double sum = 0;
            for (int row = top; row < bottom; row++)
            {
                for (int column = left; column < right; column++)
                    sum += input[image, row, column, c];
            }
            output[image, y, x, c] = (float)(sum / ((double)(bottom - top) * (right - left)));
        });

    private static void ForEachCell(Shape shape, Action<int, int, int, int> compute)
    {
        for (int image = 0; image < shape.Batch; image++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    for (int c = 0; c < shape.Channels; c++)
                        compute(image, y, x, c);
                }
            }
        }
    }
}
