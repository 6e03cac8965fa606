using System.Runtime.InteropServices;
using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>
/// A context: whatever is made with it lives in it. Making, freeing and the synchronous copies work on any thread and
/// leave the thread's current context as it was; work in streams wants the context to be current: <see cref="Enter"/>,
/// once around many calls.
/// </summary>
public class CudaContext : IDisposable
{
    private protected CudaContext(ContextHandle handle, CUdevice device, int deviceId)
    {
        Handle = handle;
        Device = device;
        DeviceId = deviceId;
    }

    /// <summary>The driver's context.</summary>
    public CUcontext Context => Handle.Value;

    public CUdevice Device { get; }

    /// <summary>The ordinal of the device, the n of "cuda:n"; -1 for an application's own context.</summary>
    public int DeviceId { get; }

    internal ContextHandle Handle { get; }

    /// <summary>Looks at a context that the application owns; disposing this object leaves the context alone.</summary>
    /// <param name="context">A context that somebody else made, and destroys.</param>
    /// <exception cref="CudaException">It is no context of this driver.</exception>
    public static CudaContext FromExisting(CUcontext context)
    {
        _ = DriverApi.Version;
        DriverApi.ThrowIfFailed(DriverApi.cuCtxPushCurrent_v2(context));
        try
        {
            DriverApi.ThrowIfFailed(DriverApi.cuCtxGetDevice(out CUdevice device));
            return new CudaContext(new ContextHandle(context, device, ownsHandle: false), device, -1);
        }
        finally
        {
            DriverApi.cuCtxPopCurrent_v2(out _);
        }
    }

    /// <summary>The CUDA version that the driver supports.</summary>
    public static Version GetDriverVersion() => new(DriverApi.Version / 1000, DriverApi.Version % 1000 / 10);

    public static int GetDeviceCount()
    {
        _ = DriverApi.Version;
        DriverApi.ThrowIfFailed(DriverApi.cuDeviceGetCount(out int count));
        return count;
    }

    /// <summary>What a device is.</summary>
    /// <param name="deviceId">The number of the device, from 0 to <see cref="GetDeviceCount"/> - 1.</param>
    public static CudaDeviceProperties GetDeviceInfo(int deviceId) => CudaDeviceProperties.Of(DeviceOf(deviceId));

    /// <summary>What this context's device is.</summary>
    public CudaDeviceProperties GetDeviceInfo() => CudaDeviceProperties.Of(Device);

    /// <summary>Bytes of device memory that are free, and that there are.</summary>
    public (long Free, long Total) GetMemoryInfo()
    {
        using (Enter())
        {
            DriverApi.ThrowIfFailed(DriverApi.cuMemGetInfo_v2(out nuint free, out nuint total));
            return ((long)free, (long)total);
        }
    }

    /// <summary>Whether all bytes from an address on lie in one allocation of this context's device.</summary>
    /// <param name="pointer">An address, or any number.</param>
    /// <param name="bytes">How many, at least 1.</param>
    public unsafe bool Owns(CUdeviceptr pointer, long bytes)
    {
        int ordinal = -1;
        ulong start = 0, size = 0;
        using (Enter())
        {
            return Ask(&ordinal, CUpointerAttribute.DeviceOrdinal) && ordinal == Device.Value
                && Ask(&start, CUpointerAttribute.RangeStart) && Ask(&size, CUpointerAttribute.RangeSize)
                && pointer.Pointer >= start && pointer.Pointer - start + (ulong)bytes <= size;
        }

        bool Ask(void* value, CUpointerAttribute attribute)
        {
            CUResult result = DriverApi.cuPointerGetAttribute(value, attribute, pointer);
            // This is what the driver says of an address that it does not know.
            if (result != CUResult.ErrorInvalidValue)
                DriverApi.ThrowIfFailed(result, nameof(DriverApi.cuPointerGetAttribute));
            return result == CUResult.Success;
        }
    }

    /// <summary>
    /// Makes the context current on this thread until the scope is disposed; then the one before is current again.
    /// </summary>
    public Scope Enter()
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        DriverApi.ThrowIfFailed(DriverApi.cuCtxPushCurrent_v2(Handle.Value));
        return new Scope(this);
    }

    /// <summary>Makes the context current on this thread, for good.</summary>
    public void SetCurrent()
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        DriverApi.ThrowIfFailed(DriverApi.cuCtxSetCurrent(Handle.Value));
    }

    /// <summary>Waits for everything that was given to the device in this context.</summary>
    public void Synchronize()
    {
        using (Enter())
            DriverApi.ThrowIfFailed(DriverApi.cuCtxSynchronize());
    }

    /// <summary>Lets go of the context; it ends when everything made in it is gone as well.</summary>
    public void Dispose()
    {
        Handle.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static CUdevice DeviceOf(int deviceId)
    {
        int count = GetDeviceCount();
        if (deviceId < 0 || deviceId >= count)
            throw new ArgumentOutOfRangeException(
                nameof(deviceId), deviceId, $"There is no CUDA device {deviceId}; there are {count}.");
        DriverApi.ThrowIfFailed(DriverApi.cuDeviceGet(out CUdevice device, deviceId));
        return device;
    }

    /// <summary>The stretch of code in which a context is current.</summary>
    public readonly ref struct Scope
    {
        private readonly CudaContext? _context;

        internal Scope(CudaContext context) => _context = context;

        public void Dispose()
        {
            if (_context is not null)
                DriverApi.ThrowIfFailed(DriverApi.cuCtxPopCurrent_v2(out _));
        }
    }
}

/// <summary>
/// The primary context of a device: the one that cuDNN, cuBLAS and the CUDA runtime use too. Retained here, released by
/// Dispose.
/// </summary>
public sealed class PrimaryContext : CudaContext
{
    /// <summary>Retains the primary context of a device.</summary>
    /// <param name="deviceId">The number of the device, from 0 to <see cref="CudaContext.GetDeviceCount"/> - 1.</param>
    /// <exception cref="Libraries.CudaLibraryNotFoundException">There is no driver.</exception>
    /// <exception cref="CudaException">The driver refused.</exception>
    public PrimaryContext(int deviceId = 0)
        : this(deviceId, DeviceOf(deviceId))
    {
    }

    private PrimaryContext(int deviceId, CUdevice device)
        : base(Retain(device), device, deviceId)
    {
    }

    private static ContextHandle Retain(CUdevice device)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuDevicePrimaryCtxRetain(out CUcontext context, device));
        return new ContextHandle(context, device, ownsHandle: true);
    }
}

/// <summary>What a device is.</summary>
/// <param name="DeviceName">The name of the device, such as "NVIDIA H100 80GB HBM3".</param>
/// <param name="ComputeCapability">
/// The architecture that kernels are compiled for, as major and minor version: 9.0 for Hopper.
/// </param>
/// <param name="Uuid">Tells this very device from another of its kind.</param>
/// <param name="TotalGlobalMemory">The memory of the whole device in bytes.</param>
/// <param name="MultiProcessorCount">The number of streaming multiprocessors.</param>
/// <param name="ClockRate">The highest clock of the multiprocessors, kHz.</param>
/// <param name="MemoryClockRate">The highest clock of the memory, kHz.</param>
/// <param name="GlobalMemoryBusWidth">The width of the bus between chip and memory in bits.</param>
/// <param name="L2CacheSize">The size of the second-level cache in bytes.</param>
/// <param name="MaxSharedMemoryPerBlockOptin">The number of bytes that a kernel can have after asking for them.</param>
/// <param name="MemoryPoolsSupported">Whether memory can be allocated in a stream's order.</param>
public sealed record CudaDeviceProperties(
    string DeviceName, Version ComputeCapability, Guid Uuid, long TotalGlobalMemory, int MultiProcessorCount,
    int ClockRate,
    int MemoryClockRate, int GlobalMemoryBusWidth, int L2CacheSize, int MaxSharedMemoryPerBlockOptin,
        bool MemoryPoolsSupported)
{
    internal static unsafe CudaDeviceProperties Of(CUdevice device)
    {
        byte* name = stackalloc byte[256];
        DriverApi.ThrowIfFailed(DriverApi.cuDeviceGetName(name, 256, device));
        byte* uuid = stackalloc byte[16];
        DriverApi.ThrowIfFailed(DriverApi.cuDeviceGetUuid_v2(uuid, device));
        DriverApi.ThrowIfFailed(DriverApi.cuDeviceTotalMem_v2(out nuint memory, device));
        return new CudaDeviceProperties(
            Marshal.PtrToStringUTF8((nint)name)!,
            new Version(Of(CUDeviceAttribute.ComputeCapabilityMajor), Of(CUDeviceAttribute.ComputeCapabilityMinor)),
            new Guid(new ReadOnlySpan<byte>(uuid, 16), bigEndian: true), (long)memory,
                Of(CUDeviceAttribute.MultiProcessorCount),
            Of(CUDeviceAttribute.ClockRate), Of(CUDeviceAttribute.MemoryClockRate),
                Of(CUDeviceAttribute.GlobalMemoryBusWidth),
            Of(CUDeviceAttribute.L2CacheSize), Of(CUDeviceAttribute.MaxSharedMemoryPerBlockOptin),
                Of(CUDeviceAttribute.MemoryPoolsSupported) != 0);

        int Of(CUDeviceAttribute attribute)
        {
            DriverApi.ThrowIfFailed(DriverApi.cuDeviceGetAttribute(out int value, attribute, device));
            return value;
        }
    }
}
