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
        DeviceLayout layout, IReadOnlyList<DeviceStep> steps, StepLanes lanes, ConvolutionAlgorithms algorithms,
        string purpose, Action<string>? log)
    {
        (Layout, Steps, Lanes, _algorithms, Purpose, Log) = (layout, steps, lanes, algorithms, purpose, log);
        MemorySize = layout.Size;
        var workspaces = new long[lanes.Count];
        for (int lane = 0; lane < lanes.Count; lane++)
        {
            workspaces[lane] = MemorySize;
            long most = steps.Where((_, i) => lanes.Steps[i].Lane == lane).Select(step => step.WorkspaceSize)
                .DefaultIfEmpty().Max();
            MemorySize += (most + DeviceLayout.Alignment - 1) / DeviceLayout.Alignment * DeviceLayout.Alignment;
        }
        WorkspaceOffsets = workspaces;
    }

    public DeviceLayout Layout { get; }

    public IReadOnlyList<DeviceStep> Steps { get; }

    /// <summary>How the steps are spread over streams in a captured run; one that is not takes them in turn.</summary>
    public StepLanes Lanes { get; }

    /// <summary>For messages: "a picture of 513x513".</summary>
    public string Purpose { get; }

    public Action<string>? Log { get; }

    /// <summary>
    /// Whether a frame has run step by step, which loads all code, so that others capture at once. For who holds the
    /// device's setup, as what follows.
    /// </summary>
    public bool HasRun { get; set; }

    /// <summary>Whether a capture on several streams failed, so that the steps are captured in turn.</summary>
    public bool IsInTurn { get; set; }

    /// <summary>Whether a capture in turn failed as well, so that none is tried again.</summary>
    public bool IsUncapturable { get; set; }

    /// <summary>Bytes of a frame on the device.</summary>
    public long MemorySize { get; }

    /// <summary>For each lane, where the memory begins that its steps may use while they run.</summary>
    public IReadOnlyList<long> WorkspaceOffsets { get; }

    public long UploadOffset => Layout.Upload.Offset;

    public long UploadSize => Layout.Upload.Bytes;

    public long DownloadOffset => Layout.Download.Offset;

    public long DownloadSize => Layout.Download.Bytes;

    /// <summary>Plans a network; the caller holds the device's setup.</summary>
    /// <param name="graph">The network with its formats.</param>
    /// <param name="storage">The type that weights and activations are stored in.</param>
    /// <param name="picture">What the first input is made of; null where the caller gives it.</param>
    /// <param name="weights">The filters and vectors on the device.</param>
    /// <param name="algorithms">Finds the convolutions' algorithms; the plan's from here on.</param>
    /// <param name="purpose">For messages: "a picture of 513x513".</param>
    /// <param name="full">
    /// A node with so many numbers in its output fills the device; smaller ones may run beside others.
    /// </param>
    /// <param name="log">Told what was refused; null for nobody.</param>
    /// <exception cref="UnavailableException">There is no engine for one of its convolutions.</exception>
    public static DevicePlan Of(DeviceGraph graph, DType storage, PictureSource? picture, DeviceWeights weights,
        ConvolutionAlgorithms algorithms, string purpose, long full, Action<string>? log)
    {
        bool IsSmall(Node node) => node.Output.Shape.Elements < full;
        try
        {
            var refused = new HashSet<Value>();
            while (true)
            {
                graph.Elide(refused);
                var layout = new DeviceLayout(graph, picture, IsSmall);
                var steps = new DeviceSteps(graph, layout, storage, weights, algorithms, refused);
                DeviceStep[] made = steps.Make();
                if (steps.Refused.Count == 0)
                {
                    DeviceStep[] all = [.. PictureStep.Of(picture, graph, layout, weights), .. made];
                    var lanes = new StepLanes(all, layout, step => step.Node is { } node && IsSmall(node));
                    return new DevicePlan(layout, all, lanes, algorithms, purpose, log);
                }
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
