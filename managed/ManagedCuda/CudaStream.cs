using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>
/// A queue of work on the device: what is put into it runs in order, beside other streams. Its context must be current
/// on the thread that puts work into it or waits for it (<see cref="CudaContext.Enter"/>, once around many calls);
/// making and disposing need not.
/// </summary>
public sealed class CudaStream : IDisposable
{
    /// <summary>Creates a stream.</summary>
    /// <param name="context">The context whose device runs the stream.</param>
    /// <param name="flags">Whether it waits for the default stream; by default it does not.</param>
    /// <param name="priority">Lower numbers go first; 0 is the lowest priority.</param>
    public CudaStream(CudaContext context, CUStreamFlags flags = CUStreamFlags.NonBlocking, int priority = 0)
    {
        using (context.Enter())
        {
            DriverApi.ThrowIfFailed(DriverApi.cuStreamCreateWithPriority(out CUstream stream, flags, priority));
            Handle = new StreamHandle(context.Handle, stream, ownsHandle: true);
        }
        ContextHandle = context.Handle;
    }

    /// <summary>
    /// Uses a stream that the application owns (zero: the default stream); disposing this object leaves it alone.
    /// </summary>
    /// <param name="stream">A stream that somebody else made, and destroys.</param>
    public CudaStream(CUstream stream) => Handle = new StreamHandle(null, stream, ownsHandle: false);

    /// <summary>The driver's stream.</summary>
    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    public CUstream Stream => new(Handle.Value);

    internal StreamHandle Handle { get; }

    internal ContextHandle? ContextHandle { get; }

    /// <summary>Whether work put into the stream is recorded instead of run.</summary>
    public CUstreamCaptureStatus CaptureStatus
    {
        get
        {
            DriverApi.ThrowIfFailed(DriverApi.cuStreamIsCapturing(Handle, out CUstreamCaptureStatus status));
            return status;
        }
    }

    /// <summary>Waits until all work in the stream is done.</summary>
    /// <exception cref="CudaException">Some of it failed.</exception>
    public void Synchronize() => DriverApi.ThrowIfFailed(DriverApi.cuStreamSynchronize(Handle));

    /// <summary>Whether all work in the stream is done.</summary>
    public bool Query()
    {
        CUResult result = DriverApi.cuStreamQuery(Handle);
        if (result != CUResult.ErrorNotReady)
            DriverApi.ThrowIfFailed(result, nameof(DriverApi.cuStreamQuery));
        return result == CUResult.Success;
    }

    /// <summary>Lets later work in this stream start only after what the event recorded.</summary>
    /// <param name="awaited">The event that must have happened before the stream goes on.</param>
    public void WaitEvent(CudaEvent awaited) =>
        DriverApi.ThrowIfFailed(DriverApi.cuStreamWaitEvent(Handle, awaited.Handle, 0));

    /// <summary>Copies rows of bytes from device memory to device memory.</summary>
    /// <param name="from">The address of the first row.</param>
    /// <param name="fromStride">The number of bytes from a row's start to the next row's.</param>
    /// <param name="to">Where the first row goes.</param>
    /// <param name="toStride">The same of the destination's rows.</param>
    /// <param name="bytes">The bytes of a row.</param>
    /// <param name="rows">The number of rows.</param>
    public void CopyRows(
        CUdeviceptr from, long fromStride, CUdeviceptr to, long toStride, long bytes, long rows) =>
        DriverApi.ThrowIfFailed(DriverApi.cuMemcpy2DAsync_v2(
            new CUDA_MEMCPY2D
            {
                SourceType = CUmemorytype.Device,
                SourceDevice = from,
                SourcePitch = (nuint)fromStride,
                DestinationType = CUmemorytype.Device,
                DestinationDevice = to,
                DestinationPitch = (nuint)toStride,
                WidthInBytes = (nuint)bytes,
                Height = (nuint)rows,
            },
            Handle));

    /// <summary>From here on work is recorded into a graph instead of run.</summary>
    /// <param name="mode">Which calls are forbidden meanwhile; by default those of this thread only.</param>
    public void BeginCapture(CUstreamCaptureMode mode = CUstreamCaptureMode.ThreadLocal) =>
        DriverApi.ThrowIfFailed(DriverApi.cuStreamBeginCapture_v2(Handle, mode));

    /// <summary>Ends the recording and gives the graph. After a failed capture the stream works as before.</summary>
    /// <exception cref="CudaException">
    /// Something in between could not be recorded, or another stream was not joined again.
    /// </exception>
    public CudaGraph EndCapture()
    {
        DriverApi.ThrowIfFailed(DriverApi.cuStreamEndCapture(Handle, out CUgraph graph));
        return new CudaGraph(new GraphHandle(graph), ContextHandle);
    }

    /// <summary>Closes the stream; work that is in it still runs to its end.</summary>
    public void Dispose() => Handle.Dispose();
}
