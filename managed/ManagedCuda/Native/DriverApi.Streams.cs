using System.Runtime.InteropServices;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.ManagedCuda.Native;

/// <summary>Streams, events, capture, graphs.</summary>
internal static unsafe partial class DriverApi
{
    private static readonly Lazy<bool> HasElapsedTime2 = new(() => NativeLibrary.TryGetExport(
        CudaLibraryProbe.Load(CudaLibraryName.Driver).Handle, nameof(cuEventElapsedTime_v2), out _));

    [LibraryImport(Library)]
    public static partial CUResult cuStreamCreateWithPriority(out CUstream stream, CUStreamFlags flags, int priority);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamDestroy_v2(CUstream stream);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamSynchronize(StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamSynchronize(CUstream stream);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamQuery(StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamWaitEvent(StreamHandle stream, EventHandle awaited, uint flags);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamBeginCapture_v2(StreamHandle stream, CUstreamCaptureMode mode);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamEndCapture(StreamHandle stream, out CUgraph graph);

    [LibraryImport(Library)]
    public static partial CUResult cuStreamIsCapturing(StreamHandle stream, out CUstreamCaptureStatus status);

    [LibraryImport(Library)]
    public static partial CUResult cuEventCreate(out CUevent created, CUEventFlags flags);

    [LibraryImport(Library)]
    public static partial CUResult cuEventDestroy_v2(CUevent destroyed);

    [LibraryImport(Library)]
    public static partial CUResult cuEventRecord(EventHandle recorded, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuEventSynchronize(EventHandle awaited);

    [LibraryImport(Library)]
    public static partial CUResult cuEventQuery(EventHandle queried);

    /// <summary>The time by the name that CUDA 13 has for it, where the driver exports that.</summary>
    public static CUResult ElapsedTime(out float milliseconds, EventHandle start, EventHandle end) =>
        HasElapsedTime2.Value
            ? cuEventElapsedTime_v2(out milliseconds, start, end)
            : cuEventElapsedTime(out milliseconds, start, end);

    [LibraryImport(Library)]
    private static partial CUResult cuEventElapsedTime(out float milliseconds, EventHandle start, EventHandle end);

    [LibraryImport(Library)]
    private static partial CUResult cuEventElapsedTime_v2(out float milliseconds, EventHandle start, EventHandle end);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphDestroy(CUgraph graph);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphGetNodes(GraphHandle graph, nint* nodes, ref nuint count);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphInstantiateWithFlags(
        out CUgraphExec executable, GraphHandle graph, CUgraphInstantiateFlags flags);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphExecUpdate_v2(
        GraphExecHandle executable, GraphHandle graph, out CUgraphExecUpdateResultInfo info);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphUpload(GraphExecHandle executable, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphLaunch(GraphExecHandle executable, StreamHandle stream);

    [LibraryImport(Library)]
    public static partial CUResult cuGraphExecDestroy(CUgraphExec executable);
}

/// <summary>The driver's struct of the same name.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CUgraphExecUpdateResultInfo
{
    public CUgraphExecUpdateResult Result;
    public nint ErrorNode;
    public nint ErrorFromNode;
}
