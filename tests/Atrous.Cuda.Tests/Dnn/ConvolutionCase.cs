using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Cuda.Tests.Dnn;

/// <summary>A convolution with all that may be done to its result, and plain loops for it.</summary>
internal sealed record ConvolutionCase(
    Storage Storage, int N, int C, int H, int W, int K, int R, int S, ConvolutionWindow Window, int Groups = 1,
    bool Bias = false, bool Residual = false, Pointwise? Activation = null, int ExtraPitch = 0)
{
    public const long X = 1, Filter = 2, BiasVector = 3, Skip = 4, Y = 5;

    public int P =>
        (int)((H + Window.PadTop + Window.PadBottom - ((R - 1) * Window.DilationHeight + 1)) / Window.StrideHeight) + 1;

    public int Q =>
        (int)((W + Window.PadLeft + Window.PadRight - ((S - 1) * Window.DilationWidth + 1)) / Window.StrideWidth) + 1;

    public int Pitch => K + ExtraPitch;

    public CudnnDataType Type => Storage switch
    {
        Storage.Fp16 => CudnnDataType.Half,
        Storage.Bf16 => CudnnDataType.BFloat16,
        _ => CudnnDataType.Float,
    };

    public float[] Input => Stored(N * H * W * C, 1);

    public float[] Weights => Stored(K * R * S * (C / Groups), 2);

    public float[] BiasValues => Stored(K, 3);

    /// <summary>In the result's layout, pitch included.</summary>
    public float[] SkipValues => Stored(N * P * Q * Pitch, 4);

    public GraphTensor XTensor => GraphTensor.Packed(X, Type, N, C, H, W);

    public GraphTensor FilterTensor => GraphTensor.Packed(Filter, Type, K, C / Groups, R, S);

    public GraphTensor YTensor => new(Y, Type, N, K, P, Q, Pitch);

    /// <summary>The graph: convolution, residual, bias, activation, as far as there are any.</summary>
    public OperationGraph Build(CudaDNNContext cudnn)
    {
        var steps = new List<(Pointwise Operation, GraphTensor? Operand)>();
        if (Residual)
            steps.Add((new Pointwise(PointwiseMode.Add), YTensor with { Uid = Skip }));
        if (Bias)
            steps.Add((new Pointwise(PointwiseMode.Add), GraphTensor.Packed(BiasVector, Type, 1, K, 1, 1)));
        if (Activation is not null)
            steps.Add((Activation, null));
        OperationGraph.Builder builder = OperationGraph.Convolution(
            cudnn, XTensor, FilterTensor, Window, steps.Count == 0 ? YTensor : YTensor.Virtual(100));
        for (int i = 0; i < steps.Count; i++)
            builder.Then(
                steps[i].Operation, steps[i].Operand, i == steps.Count - 1 ? YTensor : YTensor.Virtual(101 + i));
        return builder.Build();
    }

    /// <summary>The result in its layout; what lies beside its channels is the residual's.</summary>
    public float[] Expected(bool tensorCores) => Expected(tensorCores, out _);

    /// <summary>The same.</summary>
    /// <param name="tensorCores">Whether factors of 32 bits are rounded.</param>
    /// <param name="tolerances">How far each value may be from it.</param>
    public float[] Expected(bool tensorCores, out float[] tolerances)
    {
        Storage multiplied = Storage == Storage.Fp32 && tensorCores ? Storage.Tf32 : Storage;
        float[] x = Input, w = Weights, bias = BiasValues, skip = SkipValues, y = (float[])skip.Clone();
        tolerances = new float[y.Length];
        for (int i = 0; i < N * P * Q * K; i++)
        {
            int pixel = i / K, k = i % K, at = pixel * Pitch + k;
            (double sum, double magnitude) = Convolve(x, w, multiplied, pixel / Q / P, pixel / Q % P, pixel % Q, k);
            sum += Bias ? bias[k] : 0;
            sum += Residual ? skip[at] : 0;
            y[at] = (float)Activate(sum);
            tolerances[at] = Numbers.Tolerance(y[at], multiplied, magnitude) + ApproximatedFunction;
        }
        return y;
    }

    /// <summary>A GPU's own hyperbolic tangent, which both are made of, is exact to 11 bits.</summary>
    private float ApproximatedFunction =>
        !SoftwareDevice.Used && Activation?.Mode is PointwiseMode.SigmoidFwd or PointwiseMode.SwishFwd ? 1e-3f : 0;

    private (double Sum, double Magnitude) Convolve(
        float[] x, float[] w, Storage multiplied, int n, int p, int q, int k)
    {
        int depth = C / Groups, first = k / (K / Groups) * depth;
        double sum = 0, magnitude = 0;
        for (int tap = 0; tap < R * S; tap++)
        {
            long h = p * Window.StrideHeight - Window.PadTop + tap / S * Window.DilationHeight;
            long v = q * Window.StrideWidth - Window.PadLeft + tap % S * Window.DilationWidth;
            if (h < 0 || h >= H || v < 0 || v >= W)
                continue;
            for (int c = 0; c < depth; c++)
            {
                double product = (double)Numbers.Multiplied(x[((n * H + h) * W + v) * C + first + c], multiplied)
                    * Numbers.Multiplied(w[(k * R * S + tap) * depth + c], multiplied);
                sum += product;
                magnitude += Math.Abs(product);
            }
        }
        return (sum, magnitude);
    }

    private double Activate(double value) => Activation?.Mode switch
    {
        PointwiseMode.ReluFwd => Math.Min(
            value > 0 ? value : value * (Activation.LowerSlope ?? 0), Activation.UpperClip ?? double.PositiveInfinity),
        PointwiseMode.SigmoidFwd => 1 / (1 + Math.Exp(-value)),
        PointwiseMode.SwishFwd => value / (1 + Math.Exp(-value * (Activation.SwishBeta ?? 1))),
        _ => value,
    };

    private float[] Stored(int count, int seed) =>
        [.. Numbers.Random(count, seed).Select(value => Numbers.Stored(value, Storage))];
}
