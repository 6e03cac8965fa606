using Atrous.Tensors;

namespace Atrous.Backends.Replicas;

/// <summary>A network whose runs go to whichever device is free.</summary>
internal sealed class ReplicaExecutable(ReplicaNetworks<IExecutable> networks) : IExecutable
{
    /// <inheritdoc/>
    public void Run(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken = default)
    {
        Tensor[] given = [.. inputs], made = [.. outputs];
        networks.Run(network => network.Run(given, made, cancellationToken));
    }

    /// <inheritdoc/>
    public void Dispose() => networks.Dispose();
}

/// <summary>The same of a network that takes pictures.</summary>
internal sealed class PictureReplicaExecutable(ReplicaNetworks<IPictureExecutable> networks) : IPictureExecutable
{
    /// <inheritdoc/>
    public DType LabelType => networks.First.LabelType;

    /// <inheritdoc/>
    public void Run(PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken)
    {
        Tensor[] given = [.. others], made = [.. outputs];
        networks.Run(network => network.Run(pictures, given, made, cancellationToken));
    }

    /// <inheritdoc/>
    public void Run(PictureRows[] pictures, ReadOnlySpan<Tensor> others, PictureMask[] masks,
        CancellationToken cancellationToken)
    {
        Tensor[] given = [.. others];
        networks.Run(network => network.Run(pictures, given, masks, cancellationToken));
    }

    /// <inheritdoc/>
    public DeviceStages RunInStages(PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken)
    {
        Tensor[] given = [.. others], made = [.. outputs];
        DeviceStages stages = default;
        networks.Run(network => stages = network.RunInStages(pictures, given, made, cancellationToken));
        return stages;
    }

    /// <inheritdoc/>
    public void Dispose() => networks.Dispose();
}
