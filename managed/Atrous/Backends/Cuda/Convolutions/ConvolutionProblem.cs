using System.Globalization;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.ManagedCuda.CUDNN;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// A dense or grouped convolution in all that the choice of its engine depends on. Two equal ones share a plan.
/// </summary>
/// <param name="Storage">The type that input, filter, residual and output are stored in.</param>
/// <param name="X">Input, with the channels that pad.</param>
/// <param name="XPitch">The number of elements from a pixel to the next.</param>
/// <param name="Y">Output, with the channels that pad.</param>
/// <param name="YPitch">The number of elements from a pixel to the next.</param>
/// <param name="KernelHeight">The number of rows of the window.</param>
/// <param name="KernelWidth">The number of columns of the window.</param>
/// <param name="Stride">The number of input pixels per output pixel, on both axes.</param>
/// <param name="Dilation">The number of input pixels between the window's taps, on both axes.</param>
/// <param name="Padding">The rows and columns of zeros around the input.</param>
/// <param name="Groups">
/// Groups of the stored channels; 1 for a dense convolution, and for a grouped one that is written as dense.
/// </param>
/// <param name="HasBias">A value per output channel is added.</param>
/// <param name="ResidualPitch">
/// The number of elements from a pixel to the next of the residual, a tensor of Y's shape that is added; 0 for none.
/// </param>
/// <param name="Activation">The function that is applied last, after bias and residual.</param>
internal sealed record ConvolutionProblem(
    DType Storage, Shape X, long XPitch, Shape Y, long YPitch, int KernelHeight, int KernelWidth, int Stride,
    int Dilation, Padding Padding,
    int Groups, bool HasBias, long ResidualPitch, Activation Activation)
{
    public ConvolutionProblem(Conv2d op, int groups, DeviceView x, DeviceView y, DeviceView? residual)
        : this(
            y.Type, x.Shape, x.PixelStride, y.Shape, y.PixelStride, op.KernelHeight, op.KernelWidth, op.Stride,
            op.Dilation, op.Padding,
            groups, op.Bias is not null, residual?.PixelStride ?? 0, op.Activation)
    {
    }

    /// <summary>A product of matrices: pixels by channels.</summary>
    public bool IsProduct =>
        KernelHeight == 1 && KernelWidth == 1 && Stride == 1 && Groups == 1 && Padding == Padding.None;

    /// <summary>Multiply-adds.</summary>
    public long Work => Y.Elements * KernelHeight * KernelWidth * (X.Channels / Groups);

    /// <summary>Bytes of the filter.</summary>
    public long FilterBytes =>
        (long)Y.Channels * KernelHeight * KernelWidth * (X.Channels / Groups) * Storage.SizeInBytes();

    /// <summary>The activation as one of cuDNN's pointwise operations; null where it is none.</summary>
    public Pointwise? Pointwise => Activation.Kind switch
    {
        ActivationKind.Relu => new Pointwise(PointwiseMode.ReluFwd),
        ActivationKind.Relu6 => new Pointwise(PointwiseMode.ReluFwd, UpperClip: 6),
        ActivationKind.LeakyRelu => new Pointwise(PointwiseMode.ReluFwd, LowerSlope: Activation.Slope),
        ActivationKind.Sigmoid => new Pointwise(PointwiseMode.SigmoidFwd),
        ActivationKind.Silu => new Pointwise(PointwiseMode.SwishFwd, SwishBeta: 1),
        _ => null,
    };

    /// <summary>The same convolution of tensors whose pixels lie side by side.</summary>
    public ConvolutionProblem Packed() => this with
    {
        XPitch = X.Channels,
        YPitch = Y.Channels,
        ResidualPitch = ResidualPitch > 0 ? Y.Channels : 0,
    };

    /// <summary>All of it as one line: the key of a choice that is kept.</summary>
    public string Key => string.Create(
        CultureInfo.InvariantCulture,
        $"{Storage} {X}/{XPitch} {Y}/{YPitch} {KernelHeight}x{KernelWidth} s{Stride} d{Dilation}" +
        $" p{Padding.Top},{Padding.Left},{Padding.Bottom},{Padding.Right} g{Groups} b{(HasBias ? 1 : 0)}" +
        $" r{ResidualPitch} {Activation.Kind}{Activation.Slope:R}");

    public override string ToString() => Key;
}

/// <summary>Where the tensors of a convolution lie; 0 for what it has not.</summary>
/// <param name="X">The address of the input.</param>
/// <param name="Kernel">The address of the filter.</param>
/// <param name="Bias">The address of the bias in the type of the storage, a value per output channel.</param>
/// <param name="WideBias">The same in float32; 0 where the bias is computed by the network.</param>
/// <param name="Residual">The address of the tensor of the output's shape that is added.</param>
/// <param name="Y">The address of the output, which is written.</param>
internal readonly record struct ConvolutionOperands(
    nint X, nint Kernel, nint Bias, nint WideBias, nint Residual, nint Y);
