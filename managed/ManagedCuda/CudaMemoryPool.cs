using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>
/// The default pool of a device, which <see cref="CudaDeviceVariable{T}"/> takes stream-ordered memory from.
/// </summary>
public sealed unsafe class CudaMemoryPool
{
    private readonly CUmemoryPool _pool;

    /// <summary>Looks at the default pool of a context's device.</summary>
    /// <param name="context">The context of the device whose memory it is.</param>
    public CudaMemoryPool(CudaContext context)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuDeviceGetDefaultMemPool(out _pool, context.Device));
    }

    /// <summary>
    /// Freed bytes that the pool keeps for the next allocation when a stream is synchronised; 0 at first.
    /// </summary>
    public ulong ReleaseThreshold
    {
        get => Get(CUmemPoolAttribute.ReleaseThreshold);
        set => DriverApi.ThrowIfFailed(
            DriverApi.cuMemPoolSetAttribute(_pool, CUmemPoolAttribute.ReleaseThreshold, &value));
    }

    /// <summary>Bytes that the pool holds, used or kept.</summary>
    public ulong ReservedMemory => Get(CUmemPoolAttribute.ReservedMemCurrent);

    /// <summary>Bytes that are in use.</summary>
    public ulong UsedMemory => Get(CUmemPoolAttribute.UsedMemCurrent);

    /// <summary>The most bytes that were in use at one time.</summary>
    public ulong PeakUsedMemory => Get(CUmemPoolAttribute.UsedMemHigh);

    /// <summary>Gives kept memory back to the system.</summary>
    /// <param name="bytesToKeep">The number of bytes that the pool may keep for later allocations.</param>
    public void TrimTo(long bytesToKeep) =>
        DriverApi.ThrowIfFailed(DriverApi.cuMemPoolTrimTo(_pool, (nuint)bytesToKeep));

    private ulong Get(CUmemPoolAttribute attribute)
    {
        ulong value = 0;
        DriverApi.ThrowIfFailed(DriverApi.cuMemPoolGetAttribute(_pool, attribute, &value));
        return value;
    }
}
