using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends;

/// <summary>A device that takes pictures as they are: pixels in, labels out.</summary>
internal interface IPictureBackend : IBackend
{
    /// <summary>As <see cref="IBackend.Compile"/>, with the first input made of pictures on the device.</summary>
    /// <param name="graph">The network, whose first input the device makes.</param>
    /// <param name="picture">What the first input, one picture each of its batch, is made of.</param>
    IPictureExecutable Compile(NetworkGraph graph, PictureSource picture);
}

/// <summary>A network that is ready to run on pictures; otherwise as <see cref="IExecutable"/>.</summary>
internal interface IPictureExecutable : IDisposable
{
    /// <summary>Runs the network.</summary>
    /// <param name="pictures">The pixels of the batch's pictures, bytes [height, width, channels].</param>
    /// <param name="others">The inputs after the first.</param>
    /// <param name="outputs">In the graph's order.</param>
    /// <param name="cancellationToken">Looked at before and after the device's work.</param>
    void Run(ReadOnlySpan<PictureRows> pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken);

    /// <summary>The same step by step, to see how long each stage takes; as one launch it is faster.</summary>
    /// <inheritdoc cref="Run"/>
    DeviceStages RunInStages(
        ReadOnlySpan<PictureRows> pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken);
}
