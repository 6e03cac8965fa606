using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda.Native;

/// <summary>A retained primary context, or one of the application's that is only looked at.</summary>
internal sealed class ContextHandle : SafeHandle
{
    private readonly CUdevice _device;

    public ContextHandle(CUcontext context, CUdevice device, bool ownsHandle)
        : base(0, ownsHandle)
    {
        _device = device;
        SetHandle(context.Pointer);
    }

    public CUcontext Value => new(handle);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => DriverApi.cuDevicePrimaryCtxRelease_v2(_device) == CUResult.Success;
}

/// <summary>
/// Something that lives in a context. An owned one keeps its context alive and frees itself with the context made
/// current, on whichever thread (the finalizer's as well) that happens.
/// </summary>
internal abstract class CudaHandle : SafeHandle
{
    private readonly ContextHandle? _context;

    protected CudaHandle(ContextHandle? context, nint value, bool ownsHandle)
        : base(0, ownsHandle)
    {
        SetHandle(value);
        if (!ownsHandle || context is null)
            return;
        bool added = false;
        context.DangerousAddRef(ref added);
        _context = context;
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The driver's pointer.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public nint Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <summary>Frees <see cref="SafeHandle.handle"/>; the context is current.</summary>
    protected abstract CUResult Free();

    protected sealed override bool ReleaseHandle()
    {
        if (_context is null)
            return Free() == CUResult.Success;
        bool pushed = DriverApi.cuCtxPushCurrent_v2(_context.Value) == CUResult.Success;
        CUResult result = Free();
        if (pushed)
            DriverApi.cuCtxPopCurrent_v2(out _);
        _context.DangerousRelease();
        return result == CUResult.Success;
    }
}

internal sealed class StreamHandle(ContextHandle? context, CUstream stream, bool ownsHandle)
    : CudaHandle(context, stream.Pointer, ownsHandle)
{
    protected override CUResult Free() => DriverApi.cuStreamDestroy_v2(new CUstream(handle));
}

internal sealed class EventHandle(ContextHandle context, CUevent value) : CudaHandle(context, value.Pointer, true)
{
    protected override CUResult Free() => DriverApi.cuEventDestroy_v2(new CUevent(handle));
}

internal sealed class ModuleHandle(ContextHandle context, CUmodule module) : CudaHandle(context, module.Pointer, true)
{
    protected override CUResult Free() => DriverApi.cuModuleUnload(new CUmodule(handle));
}

internal sealed class GraphHandle(CUgraph graph) : CudaHandle(null, graph.Pointer, true)
{
    protected override CUResult Free() => DriverApi.cuGraphDestroy(new CUgraph(handle));
}

internal sealed class GraphExecHandle(ContextHandle? context, CUgraphExec executable)
    : CudaHandle(context, executable.Pointer, true)
{
    protected override CUResult Free() => DriverApi.cuGraphExecDestroy(new CUgraphExec(handle));
}

internal sealed class HostMemoryHandle(ContextHandle context, nint memory) : CudaHandle(context, memory, true)
{
    protected override CUResult Free() => DriverApi.cuMemFreeHost(handle);
}

/// <summary>
/// Device memory; pooled memory goes back in the order of the stream that it came from, which it keeps alive.
/// </summary>
internal sealed class DeviceMemoryHandle : CudaHandle
{
    private readonly StreamHandle? _stream;

    public DeviceMemoryHandle(ContextHandle? context, CUdeviceptr pointer, bool ownsHandle, StreamHandle? stream = null)
        : base(context, (nint)pointer.Pointer, ownsHandle)
    {
        if (stream is null)
            return;
        bool added = false;
        stream.DangerousAddRef(ref added);
        _stream = stream;
    }

    protected override CUResult Free()
    {
        var pointer = new CUdeviceptr((ulong)handle);
        if (_stream is null)
            return DriverApi.cuMemFree_v2(pointer);
        // The count held here keeps the stream open even after it was disposed, so the raw pointer is good.
        CUResult result = DriverApi.cuMemFreeAsync(pointer, _stream);
        _stream.DangerousRelease();
        return result;
    }
}
