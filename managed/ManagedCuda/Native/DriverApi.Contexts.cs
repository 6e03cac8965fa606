using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda.Native;

/// <summary>Devices and contexts.</summary>
internal static unsafe partial class DriverApi
{
    [LibraryImport(Library)]
    public static partial CUResult cuDeviceGetCount(out int count);

    [LibraryImport(Library)]
    public static partial CUResult cuDeviceGet(out CUdevice device, int ordinal);

    [LibraryImport(Library)]
    public static partial CUResult cuDeviceGetName(byte* name, int length, CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuDeviceGetAttribute(out int value, CUDeviceAttribute attribute, CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuDeviceTotalMem_v2(out nuint bytes, CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuDeviceGetUuid_v2(byte* uuid, CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuDevicePrimaryCtxRetain(out CUcontext context, CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuDevicePrimaryCtxRelease_v2(CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuCtxSetCurrent(CUcontext context);

    [LibraryImport(Library)]
    public static partial CUResult cuCtxGetCurrent(out CUcontext context);

    [LibraryImport(Library)]
    public static partial CUResult cuCtxGetDevice(out CUdevice device);

    [LibraryImport(Library)]
    public static partial CUResult cuCtxPushCurrent_v2(CUcontext context);

    [LibraryImport(Library)]
    public static partial CUResult cuCtxPopCurrent_v2(out CUcontext context);

    [LibraryImport(Library)]
    public static partial CUResult cuCtxSynchronize();
}
