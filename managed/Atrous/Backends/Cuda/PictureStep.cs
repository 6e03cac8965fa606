using System.Runtime.InteropServices;
using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>Resizes and normalises the pictures into the first input, all of a batch together.</summary>
internal sealed class PictureStep : DeviceStep
{
    private readonly PictureSource _picture;
    private readonly PictureResize _resize;
    private readonly DeviceLayout _layout;
    private readonly DeviceView _input;
    private readonly nint _maps;

    private PictureStep(PictureSource picture, DeviceLayout layout, DeviceView input, nint maps)
        : base(null)
    {
        (_picture, _layout, _input, _maps) = (picture, layout, input, maps);
        _resize = ResizeOf(picture, input.Shape.Batch);
    }

    /// <summary>Bytes that resizing a batch needs; what is prepared in them stays from run to run.</summary>
    public static long WorkspaceOf(PictureSource picture, int batch) => ResizeOf(picture, batch).WorkspaceSize;

    /// <summary>The step, or none where there are no pictures.</summary>
    public static IEnumerable<DeviceStep> Of(
        PictureSource? picture, DeviceGraph graph, DeviceLayout layout, DeviceWeights weights)
    {
        if (picture is null)
            return [];
        nint maps = weights.Constants(MemoryMarshal.AsBytes(picture.Maps.AsSpan()));
        return [new PictureStep(picture, layout, layout.Of(graph.Network.Inputs[0]), maps)];
    }

    public override void Prepare(CudaDevice device, RunPlace place)
    {
        foreach (KernelLaunch launch in _resize.Preparation(place.Memory + (nint)_layout.PictureWorkspace))
            device.Launch(launch, place.Stream);
    }

    public override void Enqueue(CudaDevice device, RunPlace place)
    {
        IReadOnlyList<KernelLaunch> launches = _resize.Launches(
            place.Memory + (nint)_layout.Pictures.Offset, place.Memory + (nint)_layout.PictureWorkspace,
            out nint resized);
        foreach (KernelLaunch launch in launches)
            device.Launch(launch, place.Stream);
        var size = new PictureSize(_picture.ResizedHeight, _picture.ResizedWidth, _picture.Channels);
        device.Launch(
            KernelLaunches.PictureInput(
                _input.Type, resized, size, _picture.Top, _picture.Left, _picture.Scale, _maps, _picture.Maps.Length,
                _input.At(place.Memory)),
            place.Stream);
    }

    private static PictureResize ResizeOf(PictureSource picture, int batch) =>
        new((int)picture.Filter, new PictureSize(picture.Height, picture.Width, picture.Channels),
        picture.ResizedHeight, picture.ResizedWidth, batch);
}
