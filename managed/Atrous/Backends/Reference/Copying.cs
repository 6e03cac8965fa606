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

    /// <summary>The channels from <paramref name="first"/>, as many as the output has.</summary>
    public static void Slice(int first, Tensor input, Tensor output)
    {
        Shape shape = output.Shape;
        for (int image = 0; image < shape.Batch; image++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    for (int c = 0; c < shape.Channels; c++)
                        output[image, y, x, c] = input[image, y, x, first + c];
                }
            }
        }
    }

    private static void Place(Tensor input, int top, int left, Tensor output, int channel)
    {
        Shape shape = output.Shape;
        long pixel = input.Shape.Channels * sizeof(float);
        for (int image = 0; image < shape.Batch; image++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    fixed (float* from = &input[image, y + top, x + left, 0], to = &output[image, y, x, channel])
                        Buffer.MemoryCopy(from, to, pixel, pixel);
                }
            }
        }
    }
}
