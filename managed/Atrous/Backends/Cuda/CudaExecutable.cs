using System.Runtime.InteropServices;
using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>
/// A network for one input shape. Its engines are chosen, and its memory taken, when it first runs. Each run takes a
/// frame from a pool, so that runs from several threads do not meet; a warm run is one launch and allocates nothing.
/// </summary>
internal sealed class CudaExecutable : IExecutable, IPictureExecutable
{
    private readonly CudaBackend _backend;
    private readonly NetworkGraph _signature;
    private readonly DeviceGraph _graph;
    private readonly PictureSource? _picture;
    private readonly string _purpose;
    private readonly object _pool = new();
    private readonly Stack<DeviceFrame> _idle = [];
    private DevicePlan? _plan;
    private int _running, _inUse;
    private bool _disposed;

    public CudaExecutable(CudaBackend backend, NetworkGraph graph, PictureSource? picture)
    {
        (_backend, _signature, _picture) = (backend, graph, picture);
        Shape input = graph.Inputs[0].Shape;
        _purpose = input.Batch == 1
            ? $"a picture of {input.Height}x{input.Width}"
            : $"{input.Batch} pictures of {input.Height}x{input.Width}";
        _graph = DeviceGraph.Of(graph, backend.Storage, picture is not null);
        DeviceSteps.Send(_graph, backend.Storage, backend.Weights);
    }

    /// <inheritdoc/>
    public unsafe void Run(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken = default)
    {
        Signature.Check(_signature, inputs, outputs);
        DeviceFrame frame = Begin(cancellationToken);
        try
        {
            for (int i = 0; i < inputs.Length; i++)
                Give(frame, i, inputs[i]);
            Finish(frame, outputs, cancellationToken);
            for (int i = 0; i < outputs.Length; i++)
            {
                if (InputOf(i) is >= 0 and int source)
                    Buffer.MemoryCopy(
                        inputs[source].Pointer, outputs[i].Pointer, SizeOf(outputs[i]), SizeOf(outputs[i]));
            }
        }
        finally
        {
            End(frame);
        }
        foreach (Tensor tensor in inputs)
            GC.KeepAlive(tensor);
        foreach (Tensor tensor in outputs)
            GC.KeepAlive(tensor);
    }

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<PictureRows> pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken) =>
        Run(pictures, others, outputs, null, cancellationToken);

    /// <inheritdoc/>
    public DeviceStages RunInStages(
        ReadOnlySpan<PictureRows> pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken)
    {
        using var clock = new StageClock(_backend.Device);
        Run(pictures, others, outputs, clock, cancellationToken);
        return clock.Stages;
    }

    /// <summary>
    /// Frees the frames that are not in use; a run that is under way, or that comes after all, frees its own when it
    /// ends.
    /// </summary>
    public void Dispose()
    {
        lock (_pool)
        {
            _disposed = true;
            FreeIdle();
        }
    }

    private unsafe void Run(
        ReadOnlySpan<PictureRows> pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        StageClock? clock, CancellationToken cancellationToken)
    {
        PictureSource picture = _picture
            ?? throw new InvalidOperationException("This network was not compiled for pictures.");
        Signature.CheckAfterFirst(_signature, others, outputs);
        if (pictures.Length != _signature.Inputs[0].Shape.Batch)
            throw new ArgumentException(
                $"The batch holds {_signature.Inputs[0].Shape.Batch} pictures, and {pictures.Length} were given.",
                nameof(pictures));
        DeviceFrame frame = Begin(cancellationToken);
        try
        {
            long offset = _plan!.Layout.Pictures.Offset - _plan.UploadOffset;
            foreach (PictureRows rows in pictures)
            {
                picture.Pack(rows, frame.Given.Slice((int)offset, (int)picture.Bytes));
                offset += picture.Bytes;
            }
            for (int i = 0; i < others.Length; i++)
                Give(frame, i + 1, others[i]);
            Finish(frame, outputs, cancellationToken, clock);
        }
        finally
        {
            End(frame);
        }
        foreach (Tensor tensor in others)
            GC.KeepAlive(tensor);
        foreach (Tensor tensor in outputs)
            GC.KeepAlive(tensor);
    }

    private DeviceFrame Begin(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _backend.Gate.Enter(_backend);
        lock (_pool)
            _running++;
        try
        {
            return Take(cancellationToken);
        }
        catch (Exception e)
        {
            End(null);
            if (CudaFailure.IsOne(e))
                throw CudaFailure.Explain(e, _backend.Device);
            throw;
        }
    }

    private DeviceFrame Take(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_pool)
            {
                if (_idle.TryPop(out DeviceFrame? idle))
                {
                    _inUse++;
                    return idle;
                }
            }
            DevicePlan plan;
            lock (_backend.Device.Setup)
                plan = _plan ??= _backend.Plan(_graph, _picture, _purpose, cancellationToken);
            try
            {
                var frame = new DeviceFrame(_backend.Device, plan);
                lock (_pool)
                    _inUse++;
                return frame;
            }
            catch (CudaMemoryException)
            {
                // There is room for fewer runs at a time than there are threads: they take turns, as long as any has a
                // frame.
                lock (_pool)
                {
                    if (_idle.Count == 0 && _inUse == 0)
                        throw;
                    if (_idle.Count == 0)
                        Monitor.Wait(_pool);
                }
            }
        }
    }

    private void Finish(
        DeviceFrame frame, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken, StageClock? clock = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using (_backend.Device.Context.Enter())
            {
                frame.Run(clock);
                clock?.Read();
            }
        }
        catch (Exception e) when (CudaFailure.IsOne(e))
        {
            throw CudaFailure.Explain(e, _backend.Device);
        }
        cancellationToken.ThrowIfCancellationRequested();
        for (int i = 0; i < outputs.Length; i++)
        {
            if (InputOf(i) < 0)
                Receive(frame, i, outputs[i]);
        }
    }

    private void End(DeviceFrame? frame)
    {
        lock (_pool)
        {
            _running--;
            if (frame is not null)
            {
                _inUse--;
                _idle.Push(frame);
            }
            if (_disposed)
                FreeIdle();
            Monitor.PulseAll(_pool);
        }
        _backend.Gate.Leave();
    }

    private void FreeIdle()
    {
        while (_idle.TryPop(out DeviceFrame? frame))
            frame.Dispose();
        if (_running > 0)
            return;
        _plan?.Dispose();
        _plan = null;
    }

    private unsafe void Give(DeviceFrame frame, int index, Tensor tensor)
    {
        (long offset, long bytes) = _plan!.Layout.Inputs[index];
        new ReadOnlySpan<byte>(tensor.Pointer, (int)bytes).CopyTo(frame.Given[(int)(offset - _plan.UploadOffset)..]);
    }

    private unsafe void Receive(DeviceFrame frame, int index, Tensor tensor)
    {
        (long offset, long bytes) = _plan!.Layout.Outputs[index];
        frame.Made.Slice((int)(offset - _plan.DownloadOffset), (int)bytes)
            .CopyTo(new Span<byte>(tensor.Pointer, (int)bytes));
    }

    /// <summary>The input that an output is, or -1.</summary>
    private int InputOf(int output)
    {
        for (int i = 0; i < _signature.Inputs.Count; i++)
        {
            if (_signature.Inputs[i] == _signature.Outputs[output])
                return i;
        }
        return -1;
    }

    private static long SizeOf(Tensor tensor) => tensor.Shape.Elements * tensor.Type.SizeInBytes();
}
