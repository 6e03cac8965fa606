using System.Collections.Concurrent;
using System.Diagnostics;
using Atrous.Graph;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>
/// A graph as a list of calls into libatrous. Each run takes a frame and an arena from pools, so that runs from several
/// threads do not meet; a warm run allocates nothing.
/// </summary>
internal sealed class CpuExecutable : ILayeredExecutable
{
    private readonly EngineHandle _engine;
    private readonly NetworkGraph _graph;
    private readonly (Node Node, Step Run)[] _steps;
    private readonly Layout _layout;
    private readonly int _blocks;
    private readonly Arenas _arenas;
    private readonly ProcessorNode? _node;
    private readonly long _arenaSize;
    private readonly ConcurrentBag<Frame> _frames = [];
    private int _disposed;

    /// <summary>Packs the weights that no other graph had packed.</summary>
    /// <param name="engine">The threads of all runs.</param>
    /// <param name="graph">The graph, after all passes.</param>
    /// <param name="convolutions">The packed weights of all graphs.</param>
    /// <param name="arenas">Where runs take their memory from.</param>
    /// <param name="node">The cores that runs happen on; null for any.</param>
    public CpuExecutable(
        EngineHandle engine, NetworkGraph graph, PackedConvolutions convolutions, Arenas arenas, ProcessorNode? node)
    {
        (_engine, _node) = (engine, node);
        _graph = graph;
        var plan = MemoryPlan.Of(graph);
        var layout = new Layout(graph, plan);
        _layout = layout;
        _blocks = layout.Blocks;
        _arenaSize = plan.ArenaSize;
        convolutions.Pack(graph);
        _steps = Steps.Of(graph, layout, convolutions);
        _arenas = arenas;
        arenas.Register(_arenaSize);
    }

    /// <inheritdoc/>
    public void Run(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken = default) =>
        Run(inputs, outputs, null, cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<LayerTime> RunInLayers(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken)
    {
        var layers = new List<LayerTime>(_steps.Length);
        Run(inputs, outputs, layers, cancellationToken);
        return layers;
    }

    /// <summary>
    /// Runs, and shows each value as soon as it is made, concatenations too. What is shown is gone when the call
    /// returns.
    /// </summary>
    public void RunObserved(
        ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, Action<Node, NativeTensor> observer,
        CancellationToken cancellationToken)
    {
        ILookup<Node, Step> steps = _steps.ToLookup(step => step.Node, step => step.Run);
        Signature.Check(_graph, inputs, outputs);
        using var held = new TensorLease(inputs, outputs);
        using ProcessorNode.Stay stay = ProcessorNode.Enter(_node);
        using LargeRuns.Turn turn = LargeRuns.Wait(_arenaSize, cancellationToken);
        using EngineHandle.Run run = _engine.Begin();
        NativeBuffer arena = _arenas.Take(_arenaSize);
        var frame = new Frame(_blocks);
        try
        {
            Bind(frame, arena, inputs, outputs);
            foreach (Node node in _graph.Nodes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (Step step in steps[node])
                    LibAtrous.ThrowIfFailed(step(_engine, frame), node.ToString());
                observer(node, _layout.Of(node.Output).In(frame));
            }
        }
        finally
        {
            _arenas.Return(arena);
        }
    }

    private void Run(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, List<LayerTime>? layers,
        CancellationToken cancellationToken)
    {
        Signature.Check(_graph, inputs, outputs);
        // The calls know the tensors by address alone.
        using var held = new TensorLease(inputs, outputs);
        using ProcessorNode.Stay stay = ProcessorNode.Enter(_node);
        using LargeRuns.Turn turn = LargeRuns.Wait(_arenaSize, cancellationToken);
        using EngineHandle.Run run = _engine.Begin();
        NativeBuffer arena = _arenas.Take(_arenaSize);
        if (!_frames.TryTake(out Frame? frame))
            frame = new Frame(_blocks);
        try
        {
            Bind(frame, arena, inputs, outputs);
            Node? previous = null;
            foreach ((Node node, Step step) in _steps)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long start = layers is null ? 0 : Stopwatch.GetTimestamp();
                AtrousStatus status = step(_engine, frame);
                if (status != AtrousStatus.Ok)
                    LibAtrous.ThrowIfFailed(status, node.ToString());
                if (layers is not null)
                    Add(layers, TimeOf(node, Stopwatch.GetElapsedTime(start)), node == previous);
                previous = node;
            }
        }
        finally
        {
            _frames.Add(frame);
            _arenas.Return(arena);
        }
    }

    /// <summary>
    /// Gives up its claim to arenas of its size; a run that is under way, or that comes after all, keeps its own until
    /// it ends.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _arenas.Unregister(_arenaSize);
    }

    private static LayerTime TimeOf(Node node, TimeSpan time) => new(
        node.Output.Name, node.Op.Name, node.Output.Shape,
        node.Op.MultiplyAdds([.. node.Inputs.Select(input => input.Shape)]), time);

    /// <summary>Of a node that is several steps, the sum is what it took.</summary>
    private static void Add(List<LayerTime> layers, LayerTime layer, bool again)
    {
        if (again)
            layers[^1] = layer with { Time = layers[^1].Time + layer.Time };
        else
            layers.Add(layer);
    }

    private static unsafe void Bind(
        Frame frame, NativeBuffer arena, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        frame.Blocks[0] = (nint)arena.Pointer;
        int block = 1;
        foreach (Tensor tensor in inputs)
            frame.Blocks[block++] = (nint)tensor.Pointer;
        foreach (Tensor tensor in outputs)
            frame.Blocks[block++] = (nint)tensor.Pointer;
    }
}
