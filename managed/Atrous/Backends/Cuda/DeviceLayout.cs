using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>An NHWC view in the memory of a run, before it is known where that begins.</summary>
/// <param name="Offset">The number of bytes from its beginning.</param>
/// <param name="PixelStride">The number of elements from a pixel to the next.</param>
/// <param name="Shape">With the channels that pad.</param>
/// <param name="Type">The type of the elements.</param>
internal readonly record struct DeviceView(long Offset, long PixelStride, Shape Shape, DType Type)
{
    /// <summary>The tensor, when the memory begins at <paramref name="memory"/>.</summary>
    public DeviceTensor At(nint memory) => new(memory + (nint)Offset, PixelStride, Shape);

    /// <summary>The first channels alone.</summary>
    public DeviceView First(int channels) => this with { Shape = Shape with { Channels = channels } };

    /// <summary>Some of the channels.</summary>
    public DeviceView Part(int first, int channels) =>
        First(channels) with { Offset = Offset + (long)first * Type.SizeInBytes() };

    public bool IsPacked => PixelStride == Shape.Channels;
}

/// <summary>A part of every pixel of a block of memory: what a step reads or writes.</summary>
/// <param name="Start">The number of bytes from the beginning of a run's memory to the block.</param>
/// <param name="Size">The number of bytes of the block.</param>
/// <param name="Pixel">The number of bytes from a pixel of the block to the next.</param>
/// <param name="First">The number of bytes from a pixel's beginning to the part.</param>
/// <param name="End">The number of bytes from a pixel's beginning to the part's end.</param>
internal readonly record struct DeviceRange(long Start, long Size, long Pixel, long First, long End)
{
    /// <summary>Whether some byte may be in both; slices of one block that lie side by side share none.</summary>
    public bool Meets(DeviceRange other) => (Start, Pixel) == (other.Start, other.Pixel)
        ? First < other.End && other.First < End
        : Start < other.Start + other.Size && other.Start < Start + Size;
}

/// <summary>
/// Where everything lies in the memory of one run: values that live inside, what pictures need, then all that is sent
/// and all that comes back, each in one piece.
/// </summary>
internal sealed class DeviceLayout
{
    /// <summary>Every block begins at a multiple of this many bytes, as memory from the driver does.</summary>
    public const int Alignment = 256;

    private readonly DeviceGraph _graph;
    private readonly MemoryPlan _plan;
    private readonly Dictionary<Value, long> _outside = [];

    /// <summary>Lays out a network.</summary>
    /// <param name="graph">With formats and slices.</param>
    /// <param name="picture">What the first input is made of; null where the caller gives it.</param>
    /// <param name="isSmall">Whether other nodes may run beside one.</param>
    public DeviceLayout(DeviceGraph graph, PictureSource? picture, Func<Node, bool> isSmall)
    {
        _graph = graph;
        var rules = new MemoryRules(SizeOf, InPlaceInput, Alignment)
        {
            Spans = Branches.Spans(graph.Network, isSmall),
        };
        _plan = MemoryPlan.Of(graph.Network, rules);
        Size = _plan.ArenaSize;
        IReadOnlyList<Value> inputs = graph.Network.Inputs, outputs = graph.Network.Outputs;
        if (picture is not null)
        {
            Reserve(inputs[0]);
            PictureWorkspace = Reserve(PictureStep.WorkspaceOf(picture, inputs[0].Shape.Batch)).Offset;
        }
        bool stays = picture is { StaysOnDevice: true };
        long pictures = picture is null ? 0 : picture.Bytes * inputs[0].Shape.Batch;
        if (stays)
            Pictures = Reserve(pictures);
        long sent = Size;
        if (!stays)
            Pictures = Reserve(pictures);
        Inputs = [.. inputs.Select(Reserve)];
        // Sent as 0 and brought back, so that nobody has to clear it.
        NotFinite = Reserve(graph.Network.Nodes.Any(node => node.Op is LabelOp) ? sizeof(int) : 0);
        long received = NotFinite.Offset;
        Upload = (sent, received + NotFinite.Bytes - sent);
        Outputs = [.. outputs.Select(Reserve)];
        Download = (received, stays ? NotFinite.Bytes : Size - received);
    }

    /// <summary>
    /// Offset and bytes of a number that is not 0 after a run whose scores were not all finite; no bytes where there
    /// are no labels.
    /// </summary>
    public (long Offset, long Bytes) NotFinite { get; }

    /// <summary>Bytes of all.</summary>
    public long Size { get; private set; }

    /// <summary>Offset and bytes of all that is sent; no pictures that are on the device.</summary>
    public (long Offset, long Bytes) Upload { get; }

    /// <summary>Offset and bytes of all that comes back; where outputs stay on the device, without them.</summary>
    public (long Offset, long Bytes) Download { get; }

    /// <summary>Offset and bytes of the pictures, one after the other.</summary>
    public (long Offset, long Bytes) Pictures { get; }

    /// <summary>Offset of what resizing a picture needs.</summary>
    public long PictureWorkspace { get; }

    /// <summary>Offset and bytes of every input. One that is made of pictures is not in <see cref="Upload"/>.</summary>
    public IReadOnlyList<(long Offset, long Bytes)> Inputs { get; }

    /// <summary>
    /// Offset and bytes of every output; an input, or an output that is asked for again, has its first place.
    /// </summary>
    public IReadOnlyList<(long Offset, long Bytes)> Outputs { get; }

    public DeviceView Of(Value value)
    {
        Placement place = _plan.Locate(value);
        Format format = _graph.FormatOf(value), home = _graph.FormatOf(place.Root);
        long offset = _outside.TryGetValue(place.Root, out long outside) ? outside : _plan.Offsets[place.Root];
        return new DeviceView(
            offset + (long)place.Channel * home.Type.SizeInBytes(), home.Channels,
            value.Shape with { Channels = format.Channels }, format.Type);
    }

    /// <summary>The memory that a step touches when it reads or writes a value.</summary>
    public DeviceRange RangeOf(Value value)
    {
        Placement place = _plan.Locate(value);
        DeviceView view = Of(value), root = Of(place.Root);
        long first = view.Offset - root.Offset, element = view.Type.SizeInBytes();
        return new DeviceRange(
            root.Offset, SizeOf(place.Root), root.PixelStride * element, first, first + view.Shape.Channels * element);
    }

    private (long Offset, long Bytes) Reserve(Value value)
    {
        long bytes = SizeOf(value);
        if (!_outside.TryGetValue(value, out long offset))
            _outside.Add(value, offset = Reserve(bytes).Offset);
        return (offset, bytes);
    }

    private (long Offset, long Bytes) Reserve(long bytes)
    {
        long offset = Size;
        Size += (bytes + Alignment - 1) / Alignment * Alignment;
        return (offset, bytes);
    }

    private long SizeOf(Value value) =>
        value.Shape.Pixels * _graph.FormatOf(value).Channels * _graph.FormatOf(value).Type.SizeInBytes();

    private Value? InPlaceInput(Node node) =>
        DeviceFormats.Of(node.Op).InPlace && _graph.FormatOf(node.Inputs[0]) == _graph.FormatOf(node.Output)
            ? MemoryPlan.InPlaceInput(node)
            : null;
}
