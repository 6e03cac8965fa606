using Atrous.Tensors;

namespace Atrous.Backends;

/// <summary>How long one layer of a network took.</summary>
/// <param name="Name">The layer's canonical name; of layers that run as one, the last.</param>
/// <param name="Op">The name of the operation.</param>
/// <param name="Shape">The shape of the layer's output, NHWC.</param>
/// <param name="MultiplyAdds">
/// Multiply-adds of direct convolution, taps on padding included; 0 where the operation is no convolution.
/// </param>
/// <param name="Time">The time of one run by the processor's clock.</param>
public readonly record struct LayerTime(string Name, string Op, Shape Shape, long MultiplyAdds, TimeSpan Time);

/// <summary>What a device tells of one run. A run that is asked for it may go slower, piece by piece.</summary>
internal sealed class RunTimes
{
    /// <summary>Of a device with memory of its own, else null.</summary>
    public DeviceStages? Stages { get; set; }

    /// <summary>Of a device that runs layer by layer, in the order of the run; else null.</summary>
    public IReadOnlyList<LayerTime>? Layers { get; set; }
}

/// <summary>A graph whose run is a series of layers that the processor's clock can tell apart.</summary>
internal interface ILayeredExecutable : IExecutable
{
    /// <summary>As <see cref="IExecutable.Run"/>, and tells how long each layer took.</summary>
    /// <inheritdoc cref="IExecutable.Run"/>
    IReadOnlyList<LayerTime> RunInLayers(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken);
}
