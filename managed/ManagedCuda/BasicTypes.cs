namespace Atrous.ManagedCuda;

/// <summary>A device of the driver; not the same number as its ordinal.</summary>
/// <param name="Value">The device's handle as the driver gave it.</param>
public readonly record struct CUdevice(int Value);

/// <summary>A context of the driver.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUcontext(nint Pointer);

/// <summary>A stream of the driver; zero is the default stream.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUstream(nint Pointer);

/// <summary>An event of the driver.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUevent(nint Pointer);

/// <summary>A loaded module of the driver.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUmodule(nint Pointer);

/// <summary>A kernel of a module.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUfunction(nint Pointer);

/// <summary>A graph of the driver.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUgraph(nint Pointer);

/// <summary>An instantiated graph of the driver.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUgraphExec(nint Pointer);

/// <summary>A memory pool of the driver.</summary>
/// <param name="Pointer">The handle as the driver gave it.</param>
public readonly record struct CUmemoryPool(nint Pointer);

/// <summary>An address in device memory.</summary>
/// <param name="Pointer">The address in the device's memory.</param>
public readonly record struct CUdeviceptr(ulong Pointer)
{
    /// <summary>The address a number of bytes further.</summary>
    public static CUdeviceptr operator +(CUdeviceptr start, long bytes) => new(start.Pointer + (ulong)bytes);
}

/// <summary>A grid of blocks or a block of threads.</summary>
/// <param name="X">The extent along x, at least 1.</param>
/// <param name="Y">The extent along y, at least 1.</param>
/// <param name="Z">The extent along z, at least 1.</param>
public readonly record struct dim3(uint X, uint Y = 1, uint Z = 1)
{
    /// <summary>How many there are in all.</summary>
    public ulong Count => (ulong)X * Y * Z;
}

/// <summary>How a stream relates to the default stream.</summary>
public enum CUStreamFlags : uint
{
    /// <summary>Ordered with the default stream.</summary>
    Default = 0,

    /// <summary>Independent of the default stream.</summary>
    NonBlocking = 1,
}

/// <summary>Whose calls a capture forbids while it lasts.</summary>
public enum CUstreamCaptureMode
{
    /// <summary>Calls that could break the capture fail on every thread.</summary>
    Global = 0,

    /// <summary>They fail on the capturing thread only; other threads may go on allocating.</summary>
    ThreadLocal = 1,

    /// <summary>They are allowed.</summary>
    Relaxed = 2,
}

/// <summary>What a stream's capture is at.</summary>
public enum CUstreamCaptureStatus
{
    None = 0,
    Active = 1,

    /// <summary>A forbidden call ended it; it can only be closed.</summary>
    Invalidated = 2,
}

[Flags]
public enum CUEventFlags : uint
{
    Default = 0,

    /// <summary>Waiting threads sleep instead of spinning.</summary>
    BlockingSync = 1,

    /// <summary>Cheaper; such an event cannot measure time.</summary>
    DisableTiming = 2,
}

[Flags]
public enum CUMemHostAllocFlags : uint
{
    Default = 0,

    /// <summary>Pinned for every context.</summary>
    Portable = 1,

    /// <summary>Mapped into the device's address space.</summary>
    DeviceMap = 2,

    /// <summary>Faster to send, slow to read back on the host.</summary>
    WriteCombined = 4,
}

[Flags]
public enum CUgraphInstantiateFlags : ulong
{
    None = 0,
    AutoFreeOnLaunch = 1,
    UseNodePriority = 8,
}

/// <summary>What became of updating an instantiated graph.</summary>
public enum CUgraphExecUpdateResult
{
    Success = 0,
    Error = 1,
    TopologyChanged = 2,
    NodeTypeChanged = 3,
    FunctionChanged = 4,
    ParametersChanged = 5,
    NotSupported = 6,
    UnsupportedFunctionChange = 7,
    AttributesChanged = 8,
}

/// <summary>Attributes of a device that are read here, by the driver's numbers.</summary>
public enum CUDeviceAttribute
{
    MaxThreadsPerBlock = 1,
    MaxGridDimX = 5,
    MaxGridDimY = 6,
    MaxGridDimZ = 7,
    MaxSharedMemoryPerBlock = 8,
    WarpSize = 10,
    ClockRate = 13,
    MultiProcessorCount = 16,
    MemoryClockRate = 36,
    GlobalMemoryBusWidth = 37,
    L2CacheSize = 38,
    MaxThreadsPerMultiProcessor = 39,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MaxSharedMemoryPerBlockOptin = 97,
    MemoryPoolsSupported = 115,
}

/// <summary>Attributes of a kernel, by the driver's numbers.</summary>
public enum CUFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedSizeBytes = 1,
    ConstSizeBytes = 2,
    LocalSizeBytes = 3,
    NumRegs = 4,
    PtxVersion = 5,
    BinaryVersion = 6,
    MaxDynamicSharedSizeBytes = 8,
}
