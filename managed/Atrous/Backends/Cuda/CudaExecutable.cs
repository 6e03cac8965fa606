using System.Runtime.InteropServices;
using Atrous.Graph;
using Atrous.ManagedCuda;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>
/// A network for one input shape. Its engines are chosen, and its memory taken, when it first runs. Each run takes a
/// frame from a pool, so that runs from several threads do not meet; a warm run is one launch and allocates nothing.
/// </summary>
internal sealed class CudaExecutable : IExecutable, IPictureExecutable, IDevicePointerExecutable
{
    private const long WorthSharing = 4 << 20;
    private static readonly ParallelOptions Sharing = new()
    {
        MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, 4),
    };

    /// <summary>Made once, so that a run allocates nothing.</summary>
    private static readonly Action<DeviceFrame, StageClock?> Plain = static (frame, clock) =>
    {
        frame.Run(clock);
        clock?.Read();
    };

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
        using var held = new TensorLease(inputs, outputs);
        DeviceFrame frame = Begin(cancellationToken);
        try
        {
            for (int i = 0; i < inputs.Length; i++)
                Give(frame, i, inputs[i]);
            Finish(frame, Plain, null, cancellationToken);
            Receive(frame, outputs);
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
    }

    /// <inheritdoc/>
    public DType LabelType => _graph.FormatOf(_graph.Network.Outputs[0]).Type;

    /// <inheritdoc/>
    public void Run(PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken)
    {
        Signature.CheckOutputs(_signature, outputs);
        Run(pictures, others, outputs, [], null, cancellationToken);
    }

    /// <inheritdoc/>
    public void Run(PictureRows[] pictures, ReadOnlySpan<Tensor> others, PictureMask[] masks,
        CancellationToken cancellationToken) =>
        Run(pictures, others, [], masks, null, cancellationToken);

    /// <inheritdoc/>
    public DeviceStages RunInStages(
        PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        CancellationToken cancellationToken)
    {
        Signature.CheckOutputs(_signature, outputs);
        using var clock = new StageClock(_backend.Device);
        Run(pictures, others, outputs, [], clock, cancellationToken);
        return clock.Stages;
    }

    /// <inheritdoc/>
    public void Run(PictureRows picture, nint labels, nint stream, CancellationToken cancellationToken)
    {
        PictureSource source = _picture!;
        long row = (long)source.Width * source.Channels;
        CheckOwned(picture.First, picture.Stride * (source.Height - 1) + row, "picture");
        CheckOwned(
            labels, _signature.Outputs[0].Shape.Elements * LabelType.SizeInBytes(), "memory for the labels");
        DeviceFrame frame = Begin(cancellationToken);
        try
        {
            using var given = new CudaStream(new CUstream(stream));
            Finish(
                frame, (frame, _) => frame.Run(picture, (source.Height, row), labels, given), null, cancellationToken);
        }
        finally
        {
            End(frame);
        }
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
        PictureRows[] pictures, ReadOnlySpan<Tensor> others, ReadOnlySpan<Tensor> outputs,
        PictureMask[] masks, StageClock? clock, CancellationToken cancellationToken)
    {
        PictureSource picture = _picture
            ?? throw new InvalidOperationException("This network was not compiled for pictures.");
        Signature.CheckAfterFirst(_signature, others);
        if (pictures.Length != _signature.Inputs[0].Shape.Batch)
            throw new ArgumentException(
                $"The batch holds {_signature.Inputs[0].Shape.Batch} pictures, and {pictures.Length} were given.",
                nameof(pictures));
        using var held = new TensorLease(others, outputs);
        DeviceFrame frame = Begin(cancellationToken);
        try
        {
            long first = _plan!.Layout.Pictures.Offset - _plan.UploadOffset;
            ForEach(pictures.Length, _plan.Layout.Pictures.Bytes, i => picture.Pack(
                pictures[i], frame.Given.Slice((int)(first + i * picture.Bytes), (int)picture.Bytes)));
            for (int i = 0; i < others.Length; i++)
                Give(frame, i + 1, others[i]);
            Finish(frame, Plain, clock, cancellationToken);
            Receive(frame, outputs);
            ForEach(masks.Length, _plan.DownloadSize, i => Receive(frame, i, masks[i]));
        }
        finally
        {
            End(frame);
        }
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
            catch (Exception e) when (e is MemoryException or CudaException { CudaError: CUResult.ErrorOutOfMemory })
            {
                // There is room, on the device or pinned on the host, for fewer runs at a time than there are threads:
                // they take turns, as long as any has a frame.
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

    private void CheckOwned(nint address, long bytes, string what)
    {
        if (!_backend.Device.Context.Owns(new CUdeviceptr((ulong)address), bytes))
            throw new ArgumentException(
                $"The {what} at 0x{address:x} is not {bytes} bytes in the memory of {_backend.Name}.");
    }

    private void Finish(
        DeviceFrame frame, Action<DeviceFrame, StageClock?> run, StageClock? clock,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using (_backend.Device.Context.Enter())
                run(frame, clock);
        }
        catch (Exception e) when (CudaFailure.IsOne(e))
        {
            throw CudaFailure.Explain(e, _backend.Device);
        }
        if (frame.IsNotFinite)
            throw new ScoreException();
        cancellationToken.ThrowIfCancellationRequested();
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

    private unsafe void Receive(DeviceFrame frame, ReadOnlySpan<Tensor> outputs)
    {
        for (int i = 0; i < outputs.Length; i++)
        {
            if (InputOf(i) >= 0)
                continue;
            ReadOnlySpan<byte> made = Made(frame, i);
            Tensor tensor = outputs[i];
            if (made.Length == SizeOf(tensor))
                made.CopyTo(new Span<byte>(tensor.Pointer, made.Length));
            else
                LabelWidths.Widen(made, new Span<ushort>(tensor.Pointer, made.Length));
        }
    }

    private void Receive(DeviceFrame frame, int picture, PictureMask mask)
    {
        Part(0, MemoryMarshal.CreateSpan(
            ref MemoryMarshal.GetArrayDataReference(mask.Labels), Buffer.ByteLength(mask.Labels)));
        if (mask.Confidence.Length > 0)
            Part(1, MemoryMarshal.AsBytes(mask.Confidence.AsSpan()));

        void Part(int output, Span<byte> to) => Made(frame, output).Slice(picture * to.Length, to.Length).CopyTo(to);
    }

    /// <summary>
    /// Copies pictures of so many bytes in all; large batches on several threads, since one does not fill a bus.
    /// </summary>
    private static void ForEach(int pictures, long bytes, Action<int> copy)
    {
        if (bytes >= WorthSharing && pictures > 1)
        {
            Parallel.For(0, pictures, Sharing, copy);
            return;
        }
        for (int i = 0; i < pictures; i++)
            copy(i);
    }

    /// <summary>An output as it came back.</summary>
    private ReadOnlySpan<byte> Made(DeviceFrame frame, int output)
    {
        (long offset, long bytes) = _plan!.Layout.Outputs[output];
        return frame.Made.Slice((int)(offset - _plan.DownloadOffset), (int)bytes);
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
