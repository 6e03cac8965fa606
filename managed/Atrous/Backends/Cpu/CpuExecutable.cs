using System.Collections.Concurrent;
using Atrous.Graph;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>
/// A graph as a list of calls into libatrous. Each run takes a frame (an arena) from a pool, so that runs from several
/// threads do not meet; a warm run allocates nothing.
/// </summary>
internal sealed class CpuExecutable : IExecutable
{
    private readonly EngineHandle _engine;
    private readonly NetworkGraph _graph;
    private readonly (Node Node, Step Run)[] _steps;
    private readonly int _blocks;
    private readonly long _arenaSize;
    private readonly ConcurrentBag<Frame> _frames = [];
    private volatile bool _disposed;

    public CpuExecutable(EngineHandle engine, NetworkGraph graph, PackedConvolutions convolutions)
    {
        _engine = engine;
        _graph = graph;
        var plan = MemoryPlan.Of(graph);
        var layout = new Layout(graph, plan);
        _blocks = layout.Blocks;
        _arenaSize = plan.ArenaSize;
        _steps = Steps.Of(graph, layout, convolutions);
        convolutions.Trim();
    }

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellation = default)
    {
        Signature.Check(_graph, inputs, outputs);
        if (!_frames.TryTake(out Frame? frame))
            frame = new Frame(_blocks, _arenaSize);
        try
        {
            Bind(frame, inputs, outputs);
            foreach ((Node node, Step run) in _steps)
            {
                cancellation.ThrowIfCancellationRequested();
                AtrousStatus status = run(_engine, frame);
                if (status != AtrousStatus.Ok)
                    LibAtrous.ThrowIfFailed(status, node.ToString());
            }
        }
        finally
        {
            _frames.Add(frame);
            if (_disposed)
                Dispose();
        }
        // The tensors must outlive the calls, which know them by address alone.
        foreach (Tensor tensor in inputs)
            GC.KeepAlive(tensor);
        foreach (Tensor tensor in outputs)
            GC.KeepAlive(tensor);
    }

    /// <summary>
    /// Frees the frames that are not in use; a run that is under way, or that comes after all, frees its own when it ends.
    /// </summary>
    public void Dispose()
    {
        _disposed = true;
        while (_frames.TryTake(out Frame? frame))
            frame.Dispose();
    }

    private unsafe void Bind(Frame frame, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        frame.UseArena();
        int block = 1;
        foreach (Tensor tensor in inputs)
            frame.Blocks[block++] = (nint)tensor.Pointer;
        foreach (Tensor tensor in outputs)
            frame.Blocks[block++] = (nint)tensor.Pointer;
    }
}
