using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Reference;

/// <summary>Operations that look at one element at a time.</summary>
internal static unsafe class Elementwise
{
    /// <summary>What each activation means.</summary>
    public static double Apply(Activation activation, double x) => activation.Kind switch
    {
        ActivationKind.None => x,
        ActivationKind.Relu => x < 0 ? 0 : x,
        ActivationKind.Relu6 => Math.Min(Math.Max(x, 0), 6),
        ActivationKind.LeakyRelu => x < 0 ? activation.Slope * x : x,
        ActivationKind.HardSwish => x * Math.Min(Math.Max(x + 3, 0), 6) / 6,
        ActivationKind.HardSigmoid => Math.Min(Math.Max(x + 3, 0), 6) / 6,
        ActivationKind.Sigmoid => 1 / (1 + Math.Exp(-x)),
        ActivationKind.Silu => x / (1 + Math.Exp(-x)),
        ActivationKind.Gelu => x * (1 + Erf(x / Math.Sqrt(2))) / 2,
        _ => throw new UnavailableException($"The reference backend has no activation {activation.Kind}."),
    };

    /// <summary>
    /// 2 / sqrt(pi) * the integral of exp(-t * t) up to x: its Taylor series (Abramowitz and Stegun 1964, 7.1.6), which
    /// has no differences, up to where the rest is below double's last bit.
    /// </summary>
    private static double Erf(double x)
    {
        if (double.IsNaN(x) || Math.Abs(x) > 6)
            return double.IsNaN(x) ? x : Math.Sign(x);
        double term = x, sum = 0;
        for (int n = 0; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            sum += term;
            term *= 2 * x * x / (2 * n + 3);
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    public static void Activate(Activation activation, Tensor input, Tensor output)
    {
        float* x = (float*)input.Pointer, y = (float*)output.Pointer;
        for (long i = 0; i < output.Shape.Elements; i++)
            y[i] = (float)Apply(activation, x[i]);
    }

    public static void Affine(BatchNorm norm, Tensor input, Tensor output)
    {
        float* x = (float*)input.Pointer, y = (float*)output.Pointer;
        int channels = output.Shape.Channels;
        for (long i = 0; i < output.Shape.Elements; i++)
        {
            int c = (int)(i % channels);
            y[i] = (float)Apply(norm.Activation, (double)x[i] * norm.Scale[c] + norm.Shift[c]);
        }
    }

    /// <summary>y = activation(a op b); a b of 1x1 in space is the same for every pixel of its picture.</summary>
    public static void Combine(Binary binary, Tensor left, Tensor right, Tensor output)
    {
        float* a = (float*)left.Pointer, b = (float*)right.Pointer, y = (float*)output.Pointer;
        bool broadcast = right.Shape != left.Shape;
        int channels = output.Shape.Channels;
        long image = (long)output.Shape.Height * output.Shape.Width * channels;
        for (long i = 0; i < output.Shape.Elements; i++)
        {
            double other = broadcast ? b[i / image * channels + i % channels] : b[i];
            double value = binary.Kind switch
            {
                BinaryKind.Add => a[i] + other,
                BinaryKind.Multiply => a[i] * other,
                BinaryKind.Maximum => Math.Max(a[i], other),
                _ => throw new UnavailableException($"The reference backend has no operation {binary.Kind}."),
            };
            y[i] = (float)Apply(binary.Activation, value);
        }
    }
}
