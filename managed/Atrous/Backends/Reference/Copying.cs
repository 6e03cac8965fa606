using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Operations that only move elements.</summary>
internal static unsafe class Copying
{
    public static void Copy(Tensor input, Tensor output)
    {
        long size = input.Shape.Elements * input.Type.SizeInBytes();
        Buffer.MemoryCopy(input.Pointer, output.Pointer, size, size);
    }

    /// <summary>The inputs' channels after each other.</summary>
    public static void Concatenate(Tensor[] inputs, Tensor output)
    {
        int channel = 0;
        foreach (Tensor input in inputs)
        {
            Place(input, 0, 0, output, channel);
            channel += input.Shape.Channels;
        }
    }

    /// <summary>
    /// The rows from <paramref name="top"/> and the columns from <paramref name="left"/> of the input.
    /// </summary>
    public static void Window(int top, int left, Tensor input, Tensor output) => Place(input, top, left, output, 0);

    /// <summary>The input and so many rows and columns around it that mirror it.</summary>
    public static void Mirror(int border, Tensor input, Tensor output)
    {
        Shape from = input.Shape, to = output.Shape;
        for (int image = 0; image < to.Batch; image++)
        {
            for (int y = 0; y < to.Height; y++)
            {
                for (int x = 0; x < to.Width; x++)
                {
                    Move(
                        At(input, image, Mirrored(y - border, from.Height), Mirrored(x - border, from.Width), 0),
                        At(output, image, y, x, 0), to.Channels, input.Type);
                }
            }
        }
    }

    /// <summary>The place that one beyond a picture mirrors.</summary>
    private static int Mirrored(int i, int size) => i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;

    /// <summary>The channels from <paramref name="first"/>, as many as the output has.</summary>
    public static void Slice(int first, Tensor input, Tensor output)
    {
        Shape shape = output.Shape;
        for (int image = 0; image < shape.Batch; image++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                    Move(At(input, image, y, x, first), At(output, image, y, x, 0), shape.Channels, input.Type);
            }
        }
    }

    private static void Place(Tensor input, int top, int left, Tensor output, int channel)
    {
        Shape shape = output.Shape;
        for (int image = 0; image < shape.Batch; image++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    Move(
                        At(input, image, y + top, x + left, 0), At(output, image, y, x, channel), input.Shape.Channels,
                        input.Type);
                }
            }
        }
    }

    private static byte* At(Tensor tensor, int image, int y, int x, int channel) => tensor.Pointer
        + ((((long)image * tensor.Shape.Height + y) * tensor.Shape.Width + x) * tensor.Shape.Channels + channel)
        * tensor.Type.SizeInBytes();

    private static void Move(byte* from, byte* to, int channels, DType type)
    {
        long size = (long)channels * type.SizeInBytes();
        Buffer.MemoryCopy(from, to, size, size);
    }
}
