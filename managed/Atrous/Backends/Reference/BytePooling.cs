using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Windows over 8-bit values, whose elements stand for the same numbers before and after.</summary>
internal static unsafe class BytePooling
{
    /// <summary>The largest element of each window; cells outside the picture never win.</summary>
    public static void Max(MaxPool2d pool, Tensor input, Tensor output) => ForEachWindow(
        output, (y, x) => (y * pool.Stride - pool.Padding, x * pool.Stride - pool.Padding), (image, top, left, c) =>
        {
            byte best = 0;
            for (int row = Math.Max(top, 0); row < Math.Min(top + pool.Kernel, input.Shape.Height); row++)
            {
                for (int column = Math.Max(left, 0); column < Math.Min(left + pool.Kernel, input.Shape.Width); column++)
                    best = Math.Max(best, At(input, image, row, column, c));
            }
            return best;
        });

    /// <summary>The mean of the part of each window that lies inside the picture, ties to even.</summary>
    public static void Average(int height, int width, int stride, Tensor input, Tensor output) => ForEachWindow(
        output, (y, x) => (y * stride, x * stride), (image, top, left, c) =>
        {
            long sum = 0, count = 0;
            for (int row = top; row < Math.Min(top + height, input.Shape.Height); row++)
            {
                for (int column = left; column < Math.Min(left + width, input.Shape.Width); column++, count++)
                    sum += At(input, image, row, column, c);
            }
            return (byte)MathF.Round((float)sum / count);
        });

    private static byte At(Tensor tensor, int image, int y, int x, int c) => tensor.Pointer[
        (((long)image * tensor.Shape.Height + y) * tensor.Shape.Width + x) * tensor.Shape.Channels + c];

    private static void ForEachWindow(
        Tensor output, Func<int, int, (int Top, int Left)> place, Func<int, int, int, int, byte> compute)
    {
        Shape shape = output.Shape;
        for (long i = 0; i < shape.Elements; i++)
        {
            (long pixel, long c) = Math.DivRem(i, shape.Channels);
            (long line, long x) = Math.DivRem(pixel, shape.Width);
            (long image, long y) = Math.DivRem(line, shape.Height);
            (int top, int left) = place((int)y, (int)x);
            output.Pointer[i] = compute((int)image, top, left, (int)c);
        }
    }
}
