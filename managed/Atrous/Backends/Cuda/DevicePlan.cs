using Atrous.Backends.Cuda.Convolutions;
using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>
/// A network with its memory laid out and an algorithm for every convolution: what all frames of an executable share.
/// </summary>
internal sealed class DevicePlan : IDisposable
{
    private readonly ConvolutionAlgorithms _algorithms;

    private DevicePlan(
        DeviceLayout layout, IReadOnlyList<DeviceStep> steps, ConvolutionAlgorithms algorithms, string purpose,
        Action<string>? log)
    {
        (Layout, Steps, _algorithms, Purpose, Log) = (layout, steps, algorithms, purpose, log);
        WorkspaceOffset = layout.Size;
        MemorySize = layout.Size + steps.Select(step => step.WorkspaceSize).DefaultIfEmpty().Max();
    }

    public DeviceLayout Layout { get; }

    public IReadOnlyList<DeviceStep> Steps { get; }

    /// <summary>For messages: "a picture of 513x513".</summary>
    public string Purpose { get; }

    public Action<string>? Log { get; }

    /// <summary>
    /// Whether a frame has run step by step, which loads all code, so that others capture at once; and whether a
    /// capture failed, so that none tries again. Both are for who holds the device's setup.
    /// </summary>
    public bool HasRun { get; set; }

    /// <inheritdoc cref="HasRun"/>
    public bool IsUncapturable { get; set; }

    /// <summary>Bytes of a frame on the device.</summary>
    public long MemorySize { get; }

    public long WorkspaceOffset { get; }

    public long UploadOffset => Layout.Upload.Offset;

    public long UploadSize => Layout.Upload.Bytes;

    public long DownloadOffset => Layout.Download.Offset;

    public long DownloadSize => Layout.Download.Bytes;

    /// <summary>Plans a network; the caller holds the device's setup.</summary>
    /// <exception cref="UnavailableException">There is no engine for one of its convolutions.</exception>
    public static DevicePlan Of(DeviceGraph graph, DType storage, PictureSource? picture, DeviceWeights weights,
        ConvolutionAlgorithms algorithms, string purpose, Action<string>? log)
    {
        try
        {
            var refused = new HashSet<Value>();
            while (true)
            {
                graph.Elide(refused);
                var layout = new DeviceLayout(graph, picture);
                var steps = new DeviceSteps(graph, layout, storage, weights, algorithms, refused);
                DeviceStep[] made = steps.Make();
                if (steps.Refused.Count == 0)
                    return new DevicePlan(
                        layout, [.. PictureStep.Of(picture, graph, layout, weights), .. made], algorithms, purpose,
                        log);
                // A value that stays no slice is copied into its place; each round refuses more, so that this ends.
                log?.Invoke($"no engine for slices, or a slower one: {string.Join(", ", steps.Refused)}");
                refused.UnionWith(steps.Refused);
            }
        }
        catch
        {
            algorithms.Dispose();
            throw;
        }
    }

    public void Dispose() => _algorithms.Dispose();
}
