using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Atrous (dilated) convolution: y[i] = activation(scale * sum_k x[stride * i + dilation * k - padding] w[k] + bias +
/// residual), Chen et al. 2017 (arXiv:1706.05587), eq. 1. Inputs: x, and optionally a residual of the output's shape.
/// </summary>
/// <param name="Kernel">OIHW; I is the input's channels / groups.</param>
/// <param name="Scale">Per output channel, multiplies the kernel (a folded batch norm); null means 1.</param>
/// <param name="Bias">Per output channel; null means 0.</param>
/// <param name="Stride">The number of input pixels per output pixel, both axes.</param>
/// <param name="Dilation">The number of input pixels between taps (the atrous rate), both axes.</param>
/// <param name="Padding">The rows and columns of zeros around the input.</param>
/// <param name="Groups">The number of channel groups; the input's channels for a depthwise convolution.</param>
/// <param name="Activation">The function that is applied last, after bias and residual.</param>
public sealed record Conv2d(
    Weight Kernel,
    float[]? Scale,
    float[]? Bias,
    int Stride,
    int Dilation,
    Padding Padding,
    int Groups,
    Activation Activation) : Op, IActivated
{
    public int OutChannels => Kernel.Shape[0];

    public int KernelHeight => Kernel.Shape[2];

    public int KernelWidth => Kernel.Shape[3];

    public Op WithActivation(Activation activation) => this with { Activation = activation };

    internal override int? InPlaceInput(int inputs) => inputs == 2 ? 1 : null;

    internal override ByteUse InBytes => ByteUse.Multiplies;

    internal override InputType TypeOfInput(int input) => input == 0 ? InputType.Any : InputType.OfOutput;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        if (Stride < 1 || Dilation < 1)
            throw Misfit($"the stride {Stride} and the dilation {Dilation} of {Kernel} must be at least 1");
        if (Kernel.Shape[1] * Groups != x.Channels)
            throw Misfit($"{Kernel} with {Groups} group(s) does not take {x.Channels} channels");
        int height = Extent(x.Height + Padding.Top + Padding.Bottom, KernelHeight);
        int width = Extent(x.Width + Padding.Left + Padding.Right, KernelWidth);
        if (height < 1 || width < 1)
            throw Misfit($"the input {x} is smaller than the window of {Kernel}");
        var output = new Shape(x.Batch, height, width, OutChannels);
        if (inputs.Count > 1 && inputs[1] != output)
            throw Misfit($"the residual {inputs[1]} has not the output's shape {output}");
        return output;
    }

    public override long MultiplyAdds(IReadOnlyList<Shape> inputs) =>
        OutputShape(inputs).Pixels * Kernel.Elements;

    private int Extent(int padded, int kernel) =>
        padded < (kernel - 1) * Dilation + 1 ? 0 : (padded - (kernel - 1) * Dilation - 1) / Stride + 1;
}
