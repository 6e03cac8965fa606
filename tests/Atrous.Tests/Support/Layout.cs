using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>Between the frameworks' NCHW and Atrous's NHWC.</summary>
public static class Layout
{
    /// <summary>NCHW values of this shape, rearranged to NHWC.</summary>
    public static float[] ToNhwc(ReadOnlySpan<float> planar, Shape shape)
    {
        var values = new float[shape.Elements];
        int pixels = shape.Height * shape.Width;
        for (int n = 0; n < shape.Batch; n++)
        {
            for (int c = 0; c < shape.Channels; c++)
            {
                ReadOnlySpan<float> plane = planar.Slice((n * shape.Channels + c) * pixels, pixels);
                for (int i = 0; i < pixels; i++)
                    values[(n * pixels + i) * shape.Channels + c] = plane[i];
            }
        }
        return values;
    }

    /// <summary>NHWC values of this shape, rearranged to NCHW.</summary>
    public static float[] ToNchw(ReadOnlySpan<float> values, Shape shape)
    {
        int pixels = shape.Height * shape.Width;
        // A picture is pixels x channels; as a plane of width "channels" its transpose is channels x pixels.
        return ToNhwc(values, new Shape(shape.Batch, 1, shape.Channels, pixels));
    }

    /// <summary>All elements of a float32 tensor in a new array, NHWC.</summary>
    public static unsafe float[] Values(Tensor tensor) =>
        new ReadOnlySpan<float>(tensor.Pointer, checked((int)tensor.Shape.Elements)).ToArray();

    /// <summary>All elements of a uint16 tensor in a new array.</summary>
    public static unsafe ushort[] Labels(Tensor tensor) =>
        new ReadOnlySpan<ushort>(tensor.Pointer, checked((int)tensor.Shape.Elements)).ToArray();

    /// <summary>A float32 tensor with these values, NHWC.</summary>
    public static unsafe Tensor TensorOf(Shape shape, ReadOnlySpan<float> values)
    {
        Assert.Equal(shape.Elements, values.Length);
        var tensor = new Tensor(shape);
        values.CopyTo(new Span<float>(tensor.Pointer, values.Length));
        return tensor;
    }
}
