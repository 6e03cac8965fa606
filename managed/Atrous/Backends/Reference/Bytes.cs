using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>
/// Operations on 8-bit values: sums are integers, and everything after them is float32 whose products and sums are
/// rounded one by one in this order, so that whoever does the same has the same bits.
/// </summary>
internal static unsafe class Bytes
{
    /// <summary>Whether a node reads or makes 8 bits.</summary>
    public static bool Has(Node node) =>
        node.Output.Type == DType.UInt8 || node.Inputs.Any(input => input.Type == DType.UInt8);

    /// <summary>The one list of operations that have 8 bits.</summary>
    public static Action<Tensor[], Tensor[]> Kernel(Node node)
    {
        Quantization[] from = [.. node.Inputs.Select(input => input.Quantization)];
        Quantization to = node.Output.Quantization;
        return node.Op switch
        {
            Conv2d conv when node.Inputs[0].Type == DType.UInt8 => (x, y) => ByteConvolution.Run(
                conv, (x[0], from[0]), x.Length > 1 ? (x[1], from[1]) : default, (y[0], to)),
            Conv2d conv => (x, y) => ByteConvolution.Quantize(conv, x[0], y[0], to),
            Activate activate => (x, y) => Affine(null, null, activate.Activation, (x[0], from[0]), (y[0], to)),
            BatchNorm norm => (x, y) => Affine(norm.Scale, norm.Shift, norm.Activation, (x[0], from[0]), (y[0], to)),
            Binary binary => (x, y) => Combine(binary, (x[0], from[0]), (x[1], from[1]), (y[0], to)),
            MaxPool2d pool => (x, y) => BytePooling.Max(pool, x[0], y[0]),
            AveragePool2d pool => (x, y) =>
                BytePooling.Average(pool.KernelHeight, pool.KernelWidth, pool.Stride, x[0], y[0]),
            GlobalAveragePool => (x, y) => BytePooling.Average(x[0].Shape.Height, x[0].Shape.Width, 1, x[0], y[0]),
            ResizeBilinear resize => (x, y) => Resizing.BilinearBytes(resize, x[0], y[0]),
            Concat => (x, y) => Copying.Concatenate(x, y[0]),
            SliceChannels slice => (x, y) => Copying.Slice(slice.First, x[0], y[0]),
            Crop crop => (x, y) => Copying.Window(crop.Top, crop.Left, x[0], y[0]),
            MirrorPad pad => (x, y) => Copying.Mirror(pad.Border, x[0], y[0]),
            _ => throw new UnavailableException($"The reference backend has no operation {node.Op.Name} of 8 bits."),
        };
    }

    /// <summary>The number that an element stands for.</summary>
    public static float Number(byte element, Quantization quantization) =>
        ((float)element - quantization.Zero) * quantization.Step;

    /// <summary>The element nearest to a number, ties to even; what is no number is 0's lower end.</summary>
    public static byte Element(float number, Quantization quantization) =>
        Rounded(number * (1 / quantization.Step) + quantization.Zero, 0, Quantization.Largest);

    /// <summary>An element from what is near it, within two limits.</summary>
    public static byte Rounded(float element, float low, float high) =>
        (byte)MathF.Round(MathF.Min(high, element > low ? element : low));

    private static void Affine(
        float[]? scale, float[]? shift, Activation activation, (Tensor Tensor, Quantization As) input,
        (Tensor Tensor, Quantization As) output)
    {
        int channels = output.Tensor.Shape.Channels;
        for (long i = 0; i < output.Tensor.Shape.Elements; i++)
        {
            float x = Read(input, i);
            if (scale is not null)
                x *= scale[i % channels];
            if (shift is not null)
                x += shift[i % channels];
            Write(output, i, Limited(activation, x));
        }
    }

    private static void Combine(
        Binary binary, (Tensor Tensor, Quantization As) left, (Tensor Tensor, Quantization As) right,
        (Tensor Tensor, Quantization As) output)
    {
        Shape shape = output.Tensor.Shape;
        bool broadcast = right.Tensor.Shape != left.Tensor.Shape;
        long image = (long)shape.Height * shape.Width * shape.Channels;
        for (long i = 0; i < shape.Elements; i++)
        {
            float a = Read(left, i), b = Read(right, broadcast ? i / image * shape.Channels + i % shape.Channels : i);
            float value = binary.Kind switch
            {
                BinaryKind.Add => a + b,
                BinaryKind.Multiply => a * b,
                _ => MathF.Max(a, b),
            };
            Write(output, i, Limited(binary.Activation, value));
        }
    }

    /// <summary>
    /// The activations that are limits stay in float32; the others have no bits that are everybody's.
    /// </summary>
    public static float Limited(Activation activation, float x) => activation.Kind switch
    {
        ActivationKind.None => x,
        ActivationKind.Relu => MathF.Max(0, x),
        ActivationKind.Relu6 => MathF.Min(6, MathF.Max(0, x)),
        _ => (float)Elementwise.Apply(activation, x),
    };

    private static float Read((Tensor Tensor, Quantization As) of, long index) => of.Tensor.Type == DType.UInt8
        ? Number(of.Tensor.Pointer[index], of.As)
        : ((float*)of.Tensor.Pointer)[index];

    private static void Write((Tensor Tensor, Quantization As) to, long index, float number)
    {
        if (to.Tensor.Type == DType.UInt8)
            to.Tensor.Pointer[index] = Element(number, to.As);
        else
            ((float*)to.Tensor.Pointer)[index] = number;
    }
}
