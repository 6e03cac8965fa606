using Atrous.ManagedCuda;

namespace Atrous.Backends.Cuda;

/// <summary>
/// What one run needs for itself: a stream, memory on the device and pinned memory on the host. Its first run goes step
/// by step, which also loads the code; then the same is captured, and every further run is one launch.
/// </summary>
internal sealed class DeviceFrame : IDisposable
{
    private readonly CudaDevice _device;
    private readonly DevicePlan _plan;
    private readonly CudaStream _stream;
    private readonly DeviceBlock? _memory;
    private readonly CudaPageLockedHostMemory<byte>? _given, _made;
    private readonly CudaDeviceVariable<byte>? _inputs, _outputs;
    private readonly RunPlace _place;
    private CudaGraphExec? _captured;
    private CudaEvent? _before;
    private bool _isPrepared;

    /// <exception cref="MemoryException">There is not enough memory.</exception>
    public DeviceFrame(CudaDevice device, DevicePlan plan)
    {
        (_device, _plan) = (device, plan);
        _stream = new CudaStream(device.Context);
        try
        {
            _memory = device.Allocate(plan.MemorySize, plan.Purpose);
            _given = device.Pin(plan.UploadSize, plan.Purpose);
            _made = device.Pin(plan.DownloadSize, plan.Purpose);
        }
        catch
        {
            Dispose();
            throw;
        }
        Given.Clear();
        CUdeviceptr start = _memory.Memory.DevicePointer;
        _inputs = new CudaDeviceVariable<byte>(start + plan.UploadOffset, Math.Max(plan.UploadSize, 1));
        _outputs = new CudaDeviceVariable<byte>(start + plan.DownloadOffset, Math.Max(plan.DownloadSize, 1));
        _place = new RunPlace(_stream, (nint)start.Pointer, (nint)start.Pointer + (nint)plan.WorkspaceOffsets[0]);
    }

    /// <summary>What is sent, as the plan lays it out.</summary>
    public Span<byte> Given => _given!.Span;

    /// <summary>What came back.</summary>
    public Span<byte> Made => _made!.Span;

    /// <summary>Whether scores of the last run, of which labels were made, were infinite or no numbers.</summary>
    public bool IsNotFinite => _plan.Layout.NotFinite.Bytes > 0
        && Made[(int)(_plan.Layout.NotFinite.Offset - _plan.DownloadOffset)] != 0;

    /// <summary>
    /// Sends, computes, and waits for what comes back. The context is current. Allocates nothing from the third run on.
    /// </summary>
    /// <param name="clock">
    /// Times the stages of a run that goes step by step even where it is captured; null for none.
    /// </param>
    public void Run(StageClock? clock = null) => Run(clock, null, null);

    /// <summary>
    /// The same with a picture of the device's own memory: what is in its stream comes first, and labels go to its
    /// memory.
    /// </summary>
    /// <param name="picture">The place where the pixels lie.</param>
    /// <param name="rows">How many there are of them, and their bytes.</param>
    /// <param name="labels">Where the first output goes.</param>
    /// <param name="stream">The program's own stream.</param>
    public void Run(PictureRows picture, (long Count, long Bytes) rows, nint labels, CudaStream stream)
    {
        _before ??= new CudaEvent(_device.Context, CUEventFlags.DisableTiming);
        _before.Record(stream);
        _stream.WaitEvent(_before);
        CUdeviceptr start = _memory!.Memory.DevicePointer;
        (long offset, long bytes) = _plan.Layout.Outputs[0];
        Run(
            null,
            () => _stream.CopyRows(
                new CUdeviceptr((ulong)picture.First), picture.Stride, start + _plan.Layout.Pictures.Offset, rows.Bytes,
                rows.Bytes, rows.Count),
            () => _stream.CopyRows(start + offset, bytes, new CUdeviceptr((ulong)labels), bytes, bytes, 1));
    }

    private void Run(StageClock? clock, Action? before, Action? after)
    {
        try
        {
            before?.Invoke();
            if (clock is null)
                Start();
            else
                StartTimed(clock);
            after?.Invoke();
        }
        catch
        {
            // What was put into the stream before still uses the memory; whether it ends well does not matter any more.
            TrySynchronize();
            throw;
        }
        _stream.Synchronize();
    }

    public void Dispose()
    {
        _captured?.Dispose();
        _before?.Dispose();
        _given?.Dispose();
        _made?.Dispose();
        _memory?.Dispose();
        _stream.Dispose();
    }

    private void Start()
    {
        if (_captured is { } captured)
        {
            captured.Launch(_stream);
            return;
        }
        lock (_device.Setup)
        {
            Prepare();
            if (_plan.HasRun && !_plan.IsUncapturable)
                Capture();
            if (_captured is null)
                Enqueue();
            else
                _captured.Launch(_stream);
            _plan.HasRun = true;
        }
    }

    private void StartTimed(StageClock clock)
    {
        lock (_device.Setup)
        {
            Prepare();
            Enqueue(clock);
            _plan.HasRun = true;
        }
    }

    /// <summary>What stays in the frame's memory; in the order of its stream, and in no graph.</summary>
    private void Prepare()
    {
        if (_isPrepared)
            return;
        foreach (DeviceStep step in _plan.Steps)
            step.Prepare(_device, _place);
        _isPrepared = true;
    }

    private void TrySynchronize()
    {
        try
        {
            _stream.Synchronize();
        }
        catch (CudaException)
        {
            // The failure that led here is the one to tell.
        }
    }

    /// <summary>On a stream for each lane; on one where that fails, which costs the overlap only.</summary>
    private void Capture()
    {
        if (_plan.Lanes.Count > 1 && !_plan.IsInTurn && TryCapture(Spread) is { } branched)
        {
            _plan.IsInTurn = true;
            _plan.Log?.Invoke($"{_plan.Purpose} cannot be captured on several streams and runs on one: {branched}");
        }
        if (_captured is null && TryCapture(InTurn) is { } failure)
        {
            _plan.IsUncapturable = true;
            _plan.Log?.Invoke($"{_plan.Purpose} cannot be captured and runs step by step: {failure}");
        }
    }

    private void Spread()
    {
        // What is made for a capture is made before it begins.
        using var lanes = new LaneStreams(_device, _plan, _place);
        Capture(lanes.Enqueue);
    }

    private void InTurn() => Capture(() => EnqueueSteps(0, _plan.Steps.Count));

    /// <summary>What a capture failed with; null where it did not.</summary>
    private static string? TryCapture(Action capture)
    {
        try
        {
            capture();
            return null;
        }
        catch (Exception e) when (CudaFailure.IsOne(e) && !CudaFailure.IsLasting(e))
        {
            return e.Message;
        }
    }

    private void Capture(Action enqueue)
    {
        CudaGraph? graph = null;
        try
        {
            _stream.BeginCapture();
            try
            {
                Upload();
                enqueue();
                Download();
            }
            finally
            {
                // A capture must be ended in any case; one that was broken throws here.
                graph = _stream.EndCapture();
            }
            _captured = graph.Instantiate();
        }
        finally
        {
            graph?.Dispose();
        }
    }

    private void Enqueue(StageClock? clock = null)
    {
        clock?.Mark(_stream);
        Upload();
        clock?.Mark(_stream);
        int pictures = _plan.Steps.TakeWhile(step => step is PictureStep).Count();
        EnqueueSteps(0, pictures);
        clock?.Mark(_stream);
        EnqueueSteps(pictures, _plan.Steps.Count);
        clock?.Mark(_stream);
        Download();
        clock?.Mark(_stream);
    }

    /// <summary>
    /// One after the other, by the contexts of the lanes that they may be captured on: those must have run before.
    /// </summary>
    private void EnqueueSteps(int first, int end)
    {
        for (int i = first; i < end; i++)
            _plan.Steps[i].Enqueue(_device, _place with { Lane = _plan.Lanes.Steps[i].Lane });
    }

    private void Upload()
    {
        if (_plan.UploadSize > 0)
            _inputs!.AsyncCopyToDevice(_given!, _plan.UploadSize, _stream);
    }

    private void Download()
    {
        if (_plan.DownloadSize > 0)
            _outputs!.AsyncCopyToHost(_made!, _plan.DownloadSize, _stream);
    }
}
