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

    /// <summary>A network that is given its input.</summary>
    public CompiledNetwork(IExecutable executable, IReadOnlyList<Value> outputs) =>
        (_executable, _outputs) = (executable, outputs);

    /// <summary>A network whose device makes the input of pictures.</summary>
    public CompiledNetwork(IPictureExecutable pictures, IReadOnlyList<Value> outputs) =>
        (_pictures, _outputs) = (pictures, outputs);

    /// <summary>Runs it on a normalised input; the caller disposes the outputs.</summary>
    /// <param name="input">One picture or a batch, of the shape that the key says.</param>
    /// <param name="cancellationToken">Looked at between two layers.</param>
    /// <param name="context">Where the key says that it is taken.</param>
    /// <param name="times">Is told the layers' times by a device that knows them; null not to ask.</param>
    public Tensor[] Run(
        Tensor input, CancellationToken cancellationToken, Tensor? context = null, RunTimes? times = null)
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
    /// <param name="cancellationToken">Looked at before and after the device's work.</param>
    /// <param name="context">Where the key says that it is taken.</param>
    /// <param name="times">Is told the stages' times, for which the run goes step by step; null for one launch.</param>
    public unsafe Tensor[] Run(
        Image[] photos, CancellationToken cancellationToken, Tensor? context = null, RunTimes? times = null)
    {
        Tensor[] outputs = NewOutputs();
        var held = new List<PixelBuffer>();
        try
        {
            var pixels = new PictureRows[photos.Length];
            for (int i = 0; i < photos.Length; i++)
            {
                NativeImage image = photos[i].Hold(held);
                pixels[i] = new PictureRows((nint)image.Pixels, image.RowStride);
            }
            ReadOnlySpan<Tensor> others = context is null ? [] : [context];
            if (times is null)
                _pictures!.Run(pixels, others, outputs, cancellationToken);
            else
                times.Stages = _pictures!.RunInStages(pixels, others, outputs, cancellationToken);
            return outputs;
        }
        catch
        {
            Free(outputs);
            throw;
        }
        finally
        {
            held.ForEach(buffer => buffer.DangerousRelease());
        }
    }

    public void Dispose()
    {
        _executable?.Dispose();
        _pictures?.Dispose();
    }

    private Tensor[] NewOutputs()
    {
        var tensors = new Tensor[_outputs.Count];
        try
        {
            for (int i = 0; i < tensors.Length; i++)
                tensors[i] = new Tensor(_outputs[i].Shape, _outputs[i].Type);
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
