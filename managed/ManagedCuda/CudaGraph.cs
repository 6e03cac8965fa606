using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>Work that a stream recorded.</summary>
public sealed class CudaGraph : IDisposable
{
    private readonly ContextHandle? _context;

    internal CudaGraph(GraphHandle handle, ContextHandle? context)
    {
        Handle = handle;
        _context = context;
    }

    /// <summary>Kernels, copies and fills in it.</summary>
    public unsafe int NodeCount
    {
        get
        {
            nuint count = 0;
            DriverApi.ThrowIfFailed(DriverApi.cuGraphGetNodes(Handle, null, ref count));
            return (int)count;
        }
    }

    internal GraphHandle Handle { get; }

    /// <summary>Makes it ready to be launched; the graph itself may be disposed afterwards.</summary>
    /// <param name="flags">What the driver should do beyond the usual.</param>
    public CudaGraphExec Instantiate(CUgraphInstantiateFlags flags = CUgraphInstantiateFlags.None)
    {
        DriverApi.ThrowIfFailed(DriverApi.cuGraphInstantiateWithFlags(out CUgraphExec executable, Handle, flags));
        return new CudaGraphExec(new GraphExecHandle(_context, executable));
    }

    public void Dispose() => Handle.Dispose();
}

/// <summary>A graph that is ready to be launched, with one call for all of its work.</summary>
public sealed class CudaGraphExec : IDisposable
{
    private readonly GraphExecHandle _handle;

    internal CudaGraphExec(GraphExecHandle handle) => _handle = handle;

    /// <summary>
    /// Puts the whole graph into a stream. Launches of one executable run one after another. Allocates nothing.
    /// </summary>
    /// <param name="stream">The stream that runs the graph, after what it has been given before.</param>
    public void Launch(CudaStream stream) => DriverApi.ThrowIfFailed(DriverApi.cuGraphLaunch(_handle, stream.Handle));

    /// <summary>Sends it to the device ahead of its first launch.</summary>
    /// <param name="stream">The stream in which the graph will run.</param>
    public void Upload(CudaStream stream) => DriverApi.ThrowIfFailed(DriverApi.cuGraphUpload(_handle, stream.Handle));

    /// <summary>
    /// Takes over the parameters of a graph of the same shape, which is cheaper than instantiating that.
    /// </summary>
    /// <param name="graph">A graph of the same shape with other parameters.</param>
    /// <returns>Success, or why it cannot be; then the executable is as before.</returns>
    /// <exception cref="CudaException">The driver failed for another reason.</exception>
    public CUgraphExecUpdateResult Update(CudaGraph graph)
    {
        CUResult result = DriverApi.cuGraphExecUpdate_v2(_handle, graph.Handle, out CUgraphExecUpdateResultInfo info);
        if (result != CUResult.ErrorGraphExecUpdateFailure)
            DriverApi.ThrowIfFailed(result, nameof(DriverApi.cuGraphExecUpdate_v2));
        return info.Result;
    }

    public void Dispose() => _handle.Dispose();
}
