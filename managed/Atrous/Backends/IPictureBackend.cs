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

/// <summary>A device in whose memory a program can have pictures, and want their labels.</summary>
internal interface IDevicePointers : IPictureBackend
{
    /// <summary>As <see cref="IPictureBackend.Compile"/>, of a network of labels for one picture.</summary>
    IDevicePointerExecutable CompileOnDevice(NetworkGraph graph, PictureSource picture);
}

/// <summary>A network that is ready to run on pictures in the device's memory.</summary>
internal interface IDevicePointerExecutable : IDisposable
{
    /// <summary>Runs the network, and returns when the labels are there.</summary>
    /// <param name="picture">The pixels in the device's memory.</param>
    /// <param name="labels">Where the labels go in the device's memory.</param>
    /// <param name="stream">What is in this stream of the device comes first; 0 for the default stream.</param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    /// <exception cref="ArgumentException">One of the addresses is none of the device's memory.</exception>
    void Run(PictureRows picture, nint labels, nint stream, CancellationToken cancellationToken);
}

/// <summary>Where the labels of a picture go, and their probabilities.</summary>
/// <param name="Labels">
/// One a pixel, bytes or ushorts as <see cref="IPictureExecutable.LabelType"/> says.
/// </param>
/// <param name="Confidence">One a pixel; empty where the network has no such output.</param>
internal readonly record struct PictureMask(Array Labels, float[] Confidence);

/// <summary>A network that is ready to run on pictures; otherwise as <see cref="IExecutable"/>.</summary>
internal interface IPictureExecutable : IDisposable
{
    /// <summary>
    /// The type in which the device makes the labels of the first output: bytes where these tell its classes apart.
    /// </summary>
    DType LabelType { get; }

    /// <summary>Runs the network.</summary>
    /// <param name="pictures">The pixels of the batch's pictures, bytes [height, width, channels].</param>
    /// <param name="others">The inputs after the first.</param>
    /// <param name="outputs">The tensors to overwrite, in the graph's order.</param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    void Run(PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken);

    /// <summary>The same for a network of labels, or of labels and confidences, each picture's apart.</summary>
    /// <param name="pictures">The pixels of the batch's pictures, bytes [height, width, channels].</param>
    /// <param name="others">The inputs after the first.</param>
    /// <param name="masks">One for each picture.</param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    void Run(PictureRows[] pictures, ReadOnlySpan<Tensor> others, PictureMask[] masks,
        CancellationToken cancellationToken);

    /// <summary>The same step by step, to see how long each stage takes; as one launch it is faster.</summary>
    /// <inheritdoc cref="Run(PictureRows[], ReadOnlySpan{Tensor}, ReadOnlySpan{Tensor}, CancellationToken)"/>
    DeviceStages RunInStages(
        PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken);
}
