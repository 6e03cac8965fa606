using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>A mark in a stream: to wait for, to order other streams by, to measure time with.</summary>
public sealed class CudaEvent : IDisposable
{
    /// <summary>Creates an event.</summary>
    /// <param name="context">The context that the event belongs to; only its streams can record it.</param>
    /// <param name="flags">
    /// An event that orders but does not measure is cheaper: <see cref="CUEventFlags.DisableTiming"/>.
    /// </param>
    public CudaEvent(CudaContext context, CUEventFlags flags = CUEventFlags.Default)
    {
        using (context.Enter())
        {
            DriverApi.ThrowIfFailed(DriverApi.cuEventCreate(out CUevent created, flags));
            Handle = new EventHandle(context.Handle, created);
        }
    }

    internal EventHandle Handle { get; }

    /// <summary>Time on the device between two events that are both done.</summary>
    /// <param name="start">The event that was recorded first.</param>
    /// <param name="end">The event that was recorded after it.</param>
    /// <exception cref="CudaException">One was never recorded, does not measure time, or is not done.</exception>
    public static TimeSpan ElapsedTime(CudaEvent start, CudaEvent end)
    {
        DriverApi.ThrowIfFailed(
            DriverApi.ElapsedTime(out float milliseconds, start.Handle, end.Handle), "cuEventElapsedTime");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    /// <summary>Marks the point that the stream's work has got to by now.</summary>
    /// <param name="stream">The stream whose work so far the event marks the end of.</param>
    public void Record(CudaStream stream) => DriverApi.ThrowIfFailed(DriverApi.cuEventRecord(Handle, stream.Handle));

    /// <summary>Waits until the marked point is reached.</summary>
    public void Synchronize() => DriverApi.ThrowIfFailed(DriverApi.cuEventSynchronize(Handle));

    /// <summary>Whether the marked point is reached.</summary>
    public bool Query()
    {
        CUResult result = DriverApi.cuEventQuery(Handle);
        if (result != CUResult.ErrorNotReady)
            DriverApi.ThrowIfFailed(result, nameof(DriverApi.cuEventQuery));
        return result == CUResult.Success;
    }

    public void Dispose() => Handle.Dispose();
}
