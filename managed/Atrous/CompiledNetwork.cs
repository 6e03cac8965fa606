using Atrous.Backends;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous;

/// <summary>An executable with its output shapes.</summary>
internal sealed class CompiledNetwork : IDisposable
{
    private readonly IReadOnlyList<Value> _outputs;
    private readonly IExecutable? _executable;
    private readonly IPictureExecutable? _pictures;
    private readonly IDevicePointerExecutable? _onDevice;

    /// <summary>A network that is given its input.</summary>
    public CompiledNetwork(IExecutable executable, IReadOnlyList<Value> outputs) =>
        (_executable, _outputs) = (executable, outputs);

    /// <summary>A network whose device makes the input of pictures.</summary>
    public CompiledNetwork(IPictureExecutable pictures, IReadOnlyList<Value> outputs) =>
        (_pictures, _outputs) = (pictures, outputs);

    /// <summary>A network whose pictures and labels stay on the device.</summary>
    public CompiledNetwork(IDevicePointerExecutable onDevice) => (_onDevice, _outputs) = (onDevice, []);

    /// <summary>Runs it on a normalised input; the caller disposes the outputs.</summary>
    /// <param name="input">One picture or a batch, of the shape that the key says.</param>
    /// <param name="context">Where the key says that it is taken.</param>
    /// <param name="times">Is told the layers' times by a device that knows them; null not to ask.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    public Tensor[] Run(
        Tensor input, Tensor? context, RunTimes? times, CancellationToken cancellationToken)
    {
        Tensor[] outputs = NewOutputs();
        try
        {
            ReadOnlySpan<Tensor> inputs = context is null ? [input] : [input, context];
            if (times is not null && _executable is ILayeredExecutable layered)
                times.Layers = layered.RunInLayers(inputs, outputs, cancellationToken);
            else
                _executable!.Run(inputs, outputs, cancellationToken);
            return outputs;
        }
        catch
        {
            Free(outputs);
            throw;
        }
    }

    /// <summary>Runs it on pictures as they are; the caller disposes the outputs.</summary>
    /// <param name="photos">Pictures of the size and the format that the key says.</param>
    /// <param name="context">Where the key says that it is taken.</param>
    /// <param name="times">Is told the stages' times, for which the run goes step by step; null for one launch.</param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    public Tensor[] Run(
        Image[] photos, Tensor? context, RunTimes? times, CancellationToken cancellationToken)
    {
        Tensor[] outputs = NewOutputs();
        try
        {
            WithPixels(photos, pixels =>
            {
                ReadOnlySpan<Tensor> others = context is null ? [] : [context];
                if (times is null)
                    _pictures!.Run(pixels, others, outputs, cancellationToken);
                else
                    times.Stages = _pictures!.RunInStages(pixels, others, outputs, cancellationToken);
            });
            return outputs;
        }
        catch
        {
            Free(outputs);
            throw;
        }
    }

    /// <summary>Runs a network of labels on pictures as they are; no tensor lies between device and mask.</summary>
    /// <inheritdoc cref="Run(Image[], Tensor?, RunTimes?, CancellationToken)" path="/param"/>
    public PictureMask[] Masks(Image[] photos, CancellationToken cancellationToken)
    {
        int pixels = checked((int)(_outputs[0].Shape.Elements / photos.Length));
        var masks = new PictureMask[photos.Length];
        for (int i = 0; i < masks.Length; i++)
        {
            masks[i] = new PictureMask(
                _pictures!.LabelType == DType.UInt8
                    ? GC.AllocateUninitializedArray<byte>(pixels) : GC.AllocateUninitializedArray<ushort>(pixels),
                _outputs.Count > 1 ? GC.AllocateUninitializedArray<float>(pixels) : []);
        }
        WithPixels(photos, rows => _pictures!.Run(rows, [], masks, cancellationToken));
        return masks;
    }

    public void Dispose()
    {
        _executable?.Dispose();
        _pictures?.Dispose();
        _onDevice?.Dispose();
    }

    /// <summary>Labels a picture of the device's memory into its memory.</summary>
    /// <inheritdoc cref="IDevicePointerExecutable.Run" path="/param"/>
    public void LabelOnDevice(PictureRows picture, nint labels, nint stream, CancellationToken cancellationToken) =>
        _onDevice!.Run(picture, labels, stream, cancellationToken);

    /// <summary>The pictures' pixels, which stay where they are until the run has ended.</summary>
    private static unsafe void WithPixels(Image[] photos, Action<PictureRows[]> run)
    {
        var held = new List<PixelBuffer>();
        try
        {
            var pixels = new PictureRows[photos.Length];
            for (int i = 0; i < photos.Length; i++)
            {
                NativeImage image = photos[i].Hold(held);
                pixels[i] = new PictureRows((nint)image.Pixels, image.RowStride);
            }
            run(pixels);
        }
        finally
        {
            held.ForEach(buffer => buffer.DangerousRelease());
        }
    }

    private Tensor[] NewOutputs()
    {
        var tensors = new Tensor[_outputs.Count];
        try
        {
            for (int i = 0; i < tensors.Length; i++)
                tensors[i] = new Tensor(_outputs[i].Shape, _outputs[i].Type, reused: true);
            return tensors;
        }
        catch
        {
            Free(tensors);
            throw;
        }
    }

    private static void Free(Tensor?[] tensors)
    {
        foreach (Tensor? tensor in tensors)
            tensor?.Dispose();
    }
}
