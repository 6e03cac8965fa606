using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda.Native;

/// <summary>Device memory, pools, pinned memory, copies.</summary>
internal static unsafe partial class DriverApi
{
    [LibraryImport(Library)]
    public static partial CUResult cuMemAlloc_v2(out CUdeviceptr pointer, nuint bytes);

    [LibraryImport(Library)]
    public static partial CUResult cuMemFree_v2(CUdeviceptr pointer);

    [LibraryImport(Library)]
    public static partial CUResult cuMemAllocAsync(out CUdeviceptr pointer, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuMemFreeAsync(CUdeviceptr pointer, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuMemGetInfo_v2(out nuint free, out nuint total);

    [LibraryImport(Library)]
    public static partial CUResult cuMemHostAlloc(out nint pointer, nuint bytes, CUMemHostAllocFlags flags);

    [LibraryImport(Library)]
    public static partial CUResult cuMemFreeHost(nint pointer);

    [LibraryImport(Library)]
    public static partial CUResult cuMemcpyHtoD_v2(CUdeviceptr destination, void* source, nuint bytes);

    [LibraryImport(Library)]
    public static partial CUResult cuMemcpyDtoH_v2(void* destination, CUdeviceptr source, nuint bytes);

    [LibraryImport(Library)]
    public static partial CUResult cuMemcpyHtoDAsync_v2(
        CUdeviceptr destination, void* source, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuMemcpyDtoHAsync_v2(
        void* destination, CUdeviceptr source, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuMemcpyDtoDAsync_v2(
        CUdeviceptr destination, CUdeviceptr source, nuint bytes, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuMemcpy2DAsync_v2(in CUDA_MEMCPY2D copy, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuPointerGetAttribute(
        void* value, CUpointerAttribute attribute, CUdeviceptr pointer);

    [LibraryImport(Library)]
    public static partial CUResult cuMemsetD8Async(
        CUdeviceptr destination, byte value, nuint count, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuMemsetD32Async(
        CUdeviceptr destination, uint value, nuint count, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuDeviceGetDefaultMemPool(out CUmemoryPool pool, CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPoolAttribute attribute, void* value);

    [LibraryImport(Library)]
    public static partial CUResult cuMemPoolGetAttribute(CUmemoryPool pool, CUmemPoolAttribute attribute, void* value);

    [LibraryImport(Library)]
    public static partial CUResult cuMemPoolTrimTo(CUmemoryPool pool, nuint bytesToKeep);
}

/// <summary>The driver's struct of the same name: a rectangle of bytes from one place to another.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CUDA_MEMCPY2D
{
    public nuint SourceX, SourceY;
    public CUmemorytype SourceType;
    public nint SourceHost;
    public CUdeviceptr SourceDevice;
    public nint SourceArray;
    public nuint SourcePitch;
    public nuint DestinationX, DestinationY;
    public CUmemorytype DestinationType;
    public nint DestinationHost;
    public CUdeviceptr DestinationDevice;
    public nint DestinationArray;
    public nuint DestinationPitch;
    public nuint WidthInBytes, Height;
}

/// <summary>Where memory lies, by the driver's numbers.</summary>
internal enum CUmemorytype
{
    Device = 2,
}

/// <summary>What the driver knows of an address, by its numbers.</summary>
internal enum CUpointerAttribute
{
    /// <summary>The device's ordinal, 32 bits.</summary>
    DeviceOrdinal = 9,

    /// <summary>Where its allocation begins.</summary>
    RangeStart = 11,

    /// <summary>Bytes of its allocation.</summary>
    RangeSize = 12,
}

/// <summary>Attributes of a pool, all of 64 bits here, by the driver's numbers.</summary>
internal enum CUmemPoolAttribute
{
    ReleaseThreshold = 4,
    ReservedMemCurrent = 5,
    UsedMemCurrent = 7,
    UsedMemHigh = 8,
}
