using System.Runtime.InteropServices;
using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>Resizes and normalises the pictures into the first input, one after the other.</summary>
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
        _resize = ResizeOf(picture);
    }

    /// <summary>Bytes that resizing one picture needs.</summary>
    public static long WorkspaceOf(PictureSource picture) => ResizeOf(picture).WorkspaceSize;

    /// <summary>The step, or none where there are no pictures.</summary>
    public static IEnumerable<DeviceStep> Of(
        PictureSource? picture, DeviceGraph graph, DeviceLayout layout, DeviceWeights weights)
    {
        if (picture is null)
            return [];
        nint maps = weights.Constants(MemoryMarshal.AsBytes(picture.Maps.AsSpan()));
        return [new PictureStep(picture, layout, layout.Of(graph.Network.Inputs[0]), maps)];
    }

    public override void Enqueue(CudaDevice device, RunPlace place)
    {
        DeviceTensor batch = _input.At(place.Memory);
        nint step = (nint)((long)batch.Height * batch.Width * batch.PixelStride * _input.Type.SizeInBytes());
        var size = new PictureSize(_picture.ResizedHeight, _picture.ResizedWidth, _picture.Channels);
        for (int n = 0; n < batch.Batch; n++)
        {
            nint bytes = place.Memory + (nint)(_layout.Pictures.Offset + n * _picture.Bytes);
            IReadOnlyList<KernelLaunch> launches =
                _resize.Launches(bytes, place.Memory + (nint)_layout.PictureWorkspace, out nint resized);
            foreach (KernelLaunch launch in launches)
                device.Launch(launch, place.Stream);
            DeviceTensor input = batch with { Data = batch.Data + n * step, Batch = 1 };
            device.Launch(
                KernelLaunches.PictureInput(
                    _input.Type, resized, size, _picture.Top, _picture.Left, _picture.Scale, _maps,
                    _picture.Maps.Length, input),
                place.Stream);
        }
    }

    private static PictureResize ResizeOf(PictureSource picture) =>
        new((int)picture.Filter, new PictureSize(picture.Height, picture.Width, picture.Channels),
        picture.ResizedHeight, picture.ResizedWidth);
}
