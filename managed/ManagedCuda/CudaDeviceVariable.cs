using System.Runtime.CompilerServices;
using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>An array in device memory. Freed by Dispose; the application's own memory is only looked at.</summary>
/// <typeparam name="T">Element type.</typeparam>
public sealed class CudaDeviceVariable<T> : IDisposable
    where T : unmanaged
{
    private readonly DeviceMemoryHandle _handle;
    private readonly CudaContext? _context;

    /// <summary>Allocates memory at once; contents are undefined.</summary>
    /// <param name="context">The context that the memory belongs to.</param>
    /// <param name="size">The number of elements, at least 1.</param>
    /// <exception cref="CudaException">The device has not so much left.</exception>
    public CudaDeviceVariable(CudaContext context, long size)
    {
        Size = Checked(size);
        _context = context;
        using (context.Enter())
        {
            DriverApi.ThrowIfFailed(DriverApi.cuMemAlloc_v2(out CUdeviceptr pointer, Bytes));
            _handle = new DeviceMemoryHandle(context.Handle, pointer, ownsHandle: true);
        }
    }

    /// <summary>
    /// Takes memory from the device's pool, in the order of a stream: work put into it afterwards may use the memory.
    /// </summary>
    /// <param name="context">The context whose device's pool gives the memory.</param>
    /// <param name="size">The number of elements, at least 1.</param>
    /// <param name="stream">Gives the order; Dispose returns the memory in the order of the same stream.</param>
    public CudaDeviceVariable(CudaContext context, long size, CudaStream stream)
    {
        Size = Checked(size);
        _context = context;
        using (context.Enter())
        {
            DriverApi.ThrowIfFailed(DriverApi.cuMemAllocAsync(out CUdeviceptr pointer, Bytes, stream.Handle));
            _handle = new DeviceMemoryHandle(context.Handle, pointer, ownsHandle: true, stream.Handle);
        }
    }

    /// <summary>
    /// Looks at memory that the application owns. Copies are asynchronous only, in one of its streams.
    /// </summary>
    /// <param name="pointer">The address of the first element in device memory.</param>
    /// <param name="size">The number of elements, at least 1.</param>
    public CudaDeviceVariable(CUdeviceptr pointer, long size)
    {
        Size = Checked(size);
        _handle = new DeviceMemoryHandle(null, pointer, ownsHandle: false);
    }

    /// <summary>Where it starts.</summary>
    /// <exception cref="ObjectDisposedException">The memory is freed.</exception>
    public CUdeviceptr DevicePointer => new((ulong)_handle.Value);

    /// <summary>Elements.</summary>
    public long Size { get; }

    public long SizeInBytes => Size * Unsafe.SizeOf<T>();

    private nuint Bytes => (nuint)SizeInBytes;

    /// <summary>
    /// Copies from the host and waits for it: afterwards the memory may be used in any stream, and the source be
    /// changed.
    /// </summary>
    /// <param name="source">The memory for as many elements as there are, or fewer.</param>
    public unsafe void CopyToDevice(ReadOnlySpan<T> source)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, Size, nameof(source));
        using (Own.Enter())
        {
            fixed (T* start = source)
                DriverApi.ThrowIfFailed(
                    DriverApi.cuMemcpyHtoD_v2(DevicePointer, start, (nuint)source.Length * (nuint)sizeof(T)));
            // The call may return when the bytes are staged, before they are in device memory, and streams that do not
            // wait for the default stream would not wait for them.
            DriverApi.ThrowIfFailed(DriverApi.cuStreamSynchronize(default(CUstream)));
        }
        GC.KeepAlive(this);
    }

    /// <summary>
    /// Copies to the host and waits for it; the copy is in the order of the default stream, so synchronise other
    /// streams before.
    /// </summary>
    /// <param name="destination">The memory for as many elements as there are, or fewer.</param>
    public unsafe void CopyToHost(Span<T> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Size, nameof(destination));
        using (Own.Enter())
        {
            fixed (T* start = destination)
                DriverApi.ThrowIfFailed(
                    DriverApi.cuMemcpyDtoH_v2(start, DevicePointer, (nuint)destination.Length * (nuint)sizeof(T)));
        }
        GC.KeepAlive(this);
    }

    /// <summary>Copies from pinned memory in the order of a stream; the source must stay as it is until then.</summary>
    /// <param name="source">The pinned host memory to copy from.</param>
    /// <param name="count">The number of elements, from the start of both.</param>
    /// <param name="stream">The stream that runs it after what was put there before.</param>
    public unsafe void AsyncCopyToDevice(CudaPageLockedHostMemory<T> source, long count, CudaStream stream)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuMemcpyHtoDAsync_v2(
            DevicePointer, (void*)source.PinnedHostPointer, BytesOf(count, source.Size), stream.Handle));
        GC.KeepAlive(source);
        GC.KeepAlive(this);
    }

    /// <summary>Copies to pinned memory in the order of a stream; read it after the stream was waited for.</summary>
    /// <param name="destination">The pinned host memory to copy into.</param>
    /// <param name="count">The number of elements, from the start of both.</param>
    /// <param name="stream">The stream that runs it after what was put there before.</param>
    public unsafe void AsyncCopyToHost(CudaPageLockedHostMemory<T> destination, long count, CudaStream stream)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuMemcpyDtoHAsync_v2(
            (void*)destination.PinnedHostPointer, DevicePointer, BytesOf(count, destination.Size), stream.Handle));
        GC.KeepAlive(destination);
        GC.KeepAlive(this);
    }

    /// <summary>Copies to other device memory in the order of a stream.</summary>
    /// <param name="destination">The memory for elements of the same type.</param>
    /// <param name="count">The number of elements, from the start of both.</param>
    /// <param name="stream">The stream that runs it after what was put there before.</param>
    public void AsyncCopyToDevice(CudaDeviceVariable<T> destination, long count, CudaStream stream)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuMemcpyDtoDAsync_v2(
            destination.DevicePointer, DevicePointer, BytesOf(count, destination.Size), stream.Handle));
        GC.KeepAlive(destination);
        GC.KeepAlive(this);
    }

    /// <summary>Sets every byte, in the order of a stream.</summary>
    /// <param name="value">The byte that is written everywhere.</param>
    /// <param name="stream">The stream that does it, after what it has been given before.</param>
    public void MemsetAsync(byte value, CudaStream stream)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuMemsetD8Async(DevicePointer, value, Bytes, stream.Handle));
        GC.KeepAlive(this);
    }

    /// <summary>Sets every 32 bits, in the order of a stream.</summary>
    /// <param name="value">The 32-bit number that is written everywhere.</param>
    /// <param name="stream">The stream that does it, after what it has been given before.</param>
    /// <exception cref="InvalidOperationException">The size is no multiple of 4 bytes.</exception>
    public void MemsetAsync(uint value, CudaStream stream)
    {
        if (SizeInBytes % sizeof(uint) != 0)
            throw new InvalidOperationException($"{SizeInBytes} bytes are no whole number of 32-bit words.");
        DriverApi.ThrowIfFailed(DriverApi.cuMemsetD32Async(DevicePointer, value, Bytes / sizeof(uint), stream.Handle));
        GC.KeepAlive(this);
    }

    public void Dispose() => _handle.Dispose();

    private CudaContext Own => _context
        ?? throw new InvalidOperationException("The application's own memory is copied in one of its streams only.");

    private nuint BytesOf(long count, long other)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(Size, other));
        return (nuint)(count * Unsafe.SizeOf<T>());
    }

    private static long Checked(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, long.MaxValue / Unsafe.SizeOf<T>());
        return size;
    }
}
