using System.Numerics;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>
/// y[o] = activation(scale[o] * sum over taps k and channels i of x[stride * p + dilation * k - padding][i] w[k][i][o]
/// + bias[o] + residual[o]). One task computes one output row, so that every weight is read once a row instead of once
/// a pixel.
/// </summary>
internal static unsafe class Convolution
{
    public static void Run(Conv2d conv, Tensor input, Tensor? residual, Tensor output)
    {
        double[] kernel = Pack(conv);
        Parallel.For(
            0,
            output.Shape.Batch * output.Shape.Height,
            () => new double[output.Shape.Width * output.Shape.Channels],
            (row, _, sums) =>
            {
                (int image, int y) = Math.DivRem(row, output.Shape.Height);
                Array.Clear(sums);
                Sum(conv, kernel, input, image, y, output.Shape.Width, sums);
                Finish(conv, sums, residual, output, image, y);
                return sums;
            },
            _ => { });
    }

    /// <summary>
    /// OIHW to [tap, input channel within its group, output channel], so that the innermost loop is contiguous.
    /// </summary>
    private static double[] Pack(Conv2d conv)
    {
        float[] weights = conv.Kernel.ToArray();
        int taps = conv.KernelHeight * conv.KernelWidth, groupInputs = conv.Kernel.Shape[1], outputs = conv.OutChannels;
        var packed = GC.AllocateUninitializedArray<double>(weights.Length);
        Parallel.For(0, groupInputs, i =>
        {
            for (int o = 0; o < outputs; o++)
            {
                for (int tap = 0; tap < taps; tap++)
                    packed[(tap * groupInputs + i) * outputs + o] = weights[(o * groupInputs + i) * taps + tap];
            }
        });
        return packed;
    }

    /// <summary>The bare sums of one output row: [width, output channels].</summary>
    private static void Sum(Conv2d conv, double[] kernel, Tensor input, int image, int y, int width, double[] sums)
    {
        for (int tapY = 0; tapY < conv.KernelHeight; tapY++)
        {
            int inputY = y * conv.Stride - conv.Padding.Top + tapY * conv.Dilation;
            if (inputY < 0 || inputY >= input.Shape.Height)
                continue;
            float* row = (float*)input.Pointer
                + ((long)image * input.Shape.Height + inputY) * input.Shape.Width * input.Shape.Channels;
            for (int tapX = 0; tapX < conv.KernelWidth; tapX++)
            {
                for (int i = 0; i < conv.Kernel.Shape[1]; i++)
                    SumTap(conv, kernel, row, input.Shape, tapY, tapX, i, width, sums);
            }
        }
    }

    /// <summary>Adds one tap of one input channel (of every group) to all pixels of the row.</summary>
    private static void SumTap(
        Conv2d conv, double[] kernel, float* row, Shape input, int tapY, int tapX, int i, int width, double[] sums)
    {
        int outputs = conv.OutChannels, groupInputs = conv.Kernel.Shape[1], groupOutputs = outputs / conv.Groups;
        int tap = tapY * conv.KernelWidth + tapX;
        fixed (double* weights = &kernel[(tap * groupInputs + i) * outputs])
        fixed (double* sum = sums)
        {
            for (int x = 0; x < width; x++)
            {
                int inputX = x * conv.Stride - conv.Padding.Left + tapX * conv.Dilation;
                if (inputX < 0 || inputX >= input.Width)
                    continue;
                float* pixel = row + (long)inputX * input.Channels;
                for (int group = 0; group < conv.Groups; group++)
                {
                    AddScaled(
                        sum + x * outputs + group * groupOutputs,
                        pixel[group * groupInputs + i],
                        weights + group * groupOutputs,
                        groupOutputs);
                }
            }
        }
    }

    /// <summary>
    /// sums[o] += x * weights[o], several at a time: each o on its own, so the result is that of the plain loop.
    /// </summary>
    private static void AddScaled(double* sums, double x, double* weights, int count)
    {
        int o = 0;
        for (; o <= count - Vector<double>.Count; o += Vector<double>.Count)
            Vector.Store(Vector.Load(sums + o) + Vector.Load(weights + o) * x, sums + o);
        for (; o < count; o++)
            sums[o] += x * weights[o];
    }

    private static void Finish(Conv2d conv, double[] sums, Tensor? residual, Tensor output, int image, int y)
    {
        int outputs = conv.OutChannels;
        for (int x = 0; x < output.Shape.Width; x++)
        {
            for (int o = 0; o < outputs; o++)
            {
                double value = sums[x * outputs + o] * (conv.Scale?[o] ?? 1.0) + (conv.Bias?[o] ?? 0.0);
                if (residual is not null)
                    value += residual[image, y, x, o];
                output[image, y, x, o] = (float)Elementwise.Apply(conv.Activation, value);
            }
        }
    }
}
