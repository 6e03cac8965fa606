using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>
/// Convolutions that multiply uint8 with int8 in 32-bit integers, and those of float32 that make uint8.
/// </summary>
internal static unsafe class ByteConvolution
{
    /// <summary>Of 8 bits to 8 bits or float32.</summary>
    public static void Run(
        Conv2d conv, (Tensor Tensor, Quantization As) input, (Tensor? Tensor, Quantization As) residual,
        (Tensor Tensor, Quantization As) output)
    {
        QuantizedKernel kernel = QuantizedKernel.Of(conv.Kernel.ToArray(), conv.OutChannels, conv.Scale);
        (Tensor to, Quantization end) = output;
        bool bytes = to.Type == DType.UInt8;
        (float low, float high) = Limits(conv.Activation, end);
        Parallel.For(0, to.Shape.Batch * to.Shape.Height, row =>
        {
            (int image, int y) = Math.DivRem(row, to.Shape.Height);
            for (int x = 0; x < to.Shape.Width; x++)
            {
                long pixel = ((long)row * to.Shape.Width + x) * to.Shape.Channels;
                for (int o = 0; o < conv.OutChannels; o++)
                {
                    float sum = Sum(conv, kernel.Values, input, image, y, x, o);
                    float factor = input.As.Step * kernel.Steps[o], bias = conv.Bias?[o] ?? 0;
                    if (!bytes)
                    {
                        float number = sum * factor + bias;
                        if (residual.Tensor is not null)
                            number += ((float*)residual.Tensor.Pointer)[pixel + o];
                        ((float*)to.Pointer)[pixel + o] = Bytes.Limited(conv.Activation, number);
                        continue;
                    }
                    float element = sum * (factor / end.Step) + (bias / end.Step + end.Zero);
                    if (residual.Tensor is not null)
                    {
                        float added = (float)residual.Tensor.Pointer[pixel + o] - residual.As.Zero;
                        element += added * (residual.As.Step / end.Step);
                    }
                    to.Pointer[pixel + o] = Bytes.Rounded(element, low, high);
                }
            }
        });
    }

    /// <summary>Of float32 to 8 bits.</summary>
    public static void Quantize(Conv2d conv, Tensor input, Tensor output, Quantization to)
    {
        using var numbers = new Tensor(output.Shape);
        Convolution.Run(conv, input, null, numbers);
        for (long i = 0; i < output.Shape.Elements; i++)
            output.Pointer[i] = Bytes.Element(((float*)numbers.Pointer)[i], to);
    }

    /// <summary>An activation as the elements between which it holds a sum.</summary>
    private static (float Low, float High) Limits(Activation activation, Quantization to) => activation.Kind switch
    {
        ActivationKind.Relu => (to.Zero, Quantization.Largest),
        ActivationKind.Relu6 => (to.Zero, MathF.Min(Quantization.Largest, 6 / to.Step + to.Zero)),
        _ => (0, Quantization.Largest),
    };

    private static int Sum(
        Conv2d conv, sbyte[] kernel, (Tensor Tensor, Quantization As) input, int image, int y, int x, int o)
    {
        Shape shape = input.Tensor.Shape;
        int inputs = conv.Kernel.Shape[1], taps = conv.KernelHeight * conv.KernelWidth, sum = 0;
        int first = o / (conv.OutChannels / conv.Groups) * inputs;
        for (int tap = 0; tap < taps; tap++)
        {
            int row = y * conv.Stride - conv.Padding.Top + tap / conv.KernelWidth * conv.Dilation;
            int column = x * conv.Stride - conv.Padding.Left + tap % conv.KernelWidth * conv.Dilation;
            if (row < 0 || row >= shape.Height || column < 0 || column >= shape.Width)
                continue;
            byte* pixel = input.Tensor.Pointer
                + (((long)image * shape.Height + row) * shape.Width + column) * shape.Channels + first;
            for (int i = 0; i < inputs; i++)
                sum += (pixel[i] - input.As.Zero) * kernel[(o * inputs + i) * taps + tap];
        }
        return sum;
    }
}
