using Atrous.Backends.Cuda.Convolutions;
using Atrous.Graph;

namespace Atrous.Backends.Cuda;

/// <summary>Where a run works: its stream, and its memory from the beginning of the layout.</summary>
/// <param name="Stream">The stream that the run's steps are put into, in their order.</param>
/// <param name="Memory">The address of the layout's beginning.</param>
/// <param name="Workspace">The address of memory that every step may use while it runs.</param>
/// <param name="Lane">The lane that its context of cuDNN's is for.</param>
internal readonly record struct RunPlace(ManagedCuda.CudaStream Stream, nint Memory, nint Workspace, int Lane = 0);

/// <summary>One operation of a network with everything but the addresses decided.</summary>
internal abstract class DeviceStep(Node? node)
{
    /// <summary>What it computes a part of; null for what is no part of the graph.</summary>
    public Node? Node => node;

    /// <summary>Values that it reads beside its node's inputs.</summary>
    public virtual IReadOnlyList<Value> AlsoReads => [];

    /// <summary>Bytes that it needs beside the layout.</summary>
    public virtual long WorkspaceSize => 0;

    /// <summary>
    /// Puts into a stream what is done once for a frame's memory, before its first run. The context is current.
    /// </summary>
    public virtual void Prepare(CudaDevice device, RunPlace place)
    {
        // Most steps have nothing that stays.
    }

    /// <summary>
    /// Puts it into a stream, or into what the stream captures. The context is current, the device's setup held.
    /// </summary>
    public abstract void Enqueue(CudaDevice device, RunPlace place);
}

/// <summary>A launch of one of our kernels.</summary>
/// <param name="node">The node that the kernel computes a part of; null for what is no part of the graph.</param>
/// <param name="launch">The launch, when the memory begins there.</param>
internal sealed class KernelStep(Node? node, Func<nint, KernelLaunch> launch) : DeviceStep(node)
{
    public override void Enqueue(CudaDevice device, RunPlace place) =>
        device.Launch(launch(place.Memory), place.Stream);
}

/// <summary>A convolution by cuDNN or cuBLASLt.</summary>
/// <param name="node">The graph's node that it computes.</param>
/// <param name="algorithm">The algorithm that computes it, which stays the plan's.</param>
/// <param name="weights">The filter and bias on the device.</param>
/// <param name="x">Where the input lies.</param>
/// <param name="residual">Where the tensor that is added lies; null for none.</param>
/// <param name="bias">One that the network computes, in place of the weights'; null for theirs.</param>
/// <param name="y">Where the output lies.</param>
internal sealed class ConvolutionStep(
    Node node, ConvolutionAlgorithm algorithm, ConvolutionWeights weights, DeviceView x, DeviceView? residual,
    (Value Value, DeviceView Place)? bias, DeviceView y) : DeviceStep(node)
{
    public override IReadOnlyList<Value> AlsoReads => bias is { } computed ? [computed.Value] : [];

    public override long WorkspaceSize => algorithm.WorkspaceSize;

    public override void Enqueue(CudaDevice device, RunPlace place) => algorithm.Enqueue(
        device,
        new ConvolutionOperands(
            x.At(place.Memory).Data, weights.Kernel, bias?.Place.At(place.Memory).Data
            ?? weights.Bias, weights.WideBias, residual?.At(place.Memory).Data ?? 0, y.At(place.Memory).Data),
        new WorkPlace(place.Stream, place.Workspace, device.DnnOf(place.Lane)));
}
