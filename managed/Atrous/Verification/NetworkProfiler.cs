using Atrous.Backends;
using Atrous.Imaging;

namespace Atrous.Verification;

/// <summary>
/// Tells how long the parts of a network take. The network goes step by step for that, where a mask may be made in one
/// launch, so the parts can take longer together than the whole.
/// </summary>
/// <param name="segmenter">The model, which the profiler does not dispose.</param>
public sealed class NetworkProfiler(Segmenter segmenter)
{
    private readonly Segmenter _segmenter = segmenter ?? throw new ArgumentNullException(nameof(segmenter));

    /// <summary>Runs the network once to see how long each stage takes on a device with memory of its own.</summary>
    /// <param name="photos">Pictures of one size, as many as run together.</param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    /// <returns>
    /// The times by the device's clock; null where the device does not tell, or where a mask is made of more than one
    /// run of the network.
    /// </returns>
    /// <inheritdoc cref="Segmenter.Segment(Image, bool, CancellationToken)" path="/exception"/>
    public DeviceStages? Stages(IReadOnlyList<Image> photos, CancellationToken cancellationToken = default) =>
        _segmenter.TakesPictures ? _segmenter.Time(photos, cancellationToken)?.Stages : null;

    /// <summary>Runs the network once to see how long each of its layers takes.</summary>
    /// <param name="photos">Pictures of one size, as many as run together.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <returns>
    /// The layers in the order in which they run, fused as they run; null where the device does not tell, or where a
    /// mask is made of more than one run of the network.
    /// </returns>
    /// <inheritdoc cref="Segmenter.Segment(Image, bool, CancellationToken)" path="/exception"/>
    public IReadOnlyList<LayerTime>? Layers(
        IReadOnlyList<Image> photos, CancellationToken cancellationToken = default) =>
        _segmenter.TakesPictures ? null : _segmenter.Time(photos, cancellationToken)?.Layers;
}
