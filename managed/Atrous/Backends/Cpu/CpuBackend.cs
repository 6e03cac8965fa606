using Atrous.Graph;
using Atrous.Graph.Passes;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>
/// Runs graphs on the processor through libatrous: the instruction set is picked at run time (forceable by the
/// environment variable ATROUS_ISA), weights are packed once and shared by every shape. Owns the thread pool and the
/// packed weights; dispose it after its executables.
/// </summary>
internal sealed class CpuBackend : IBackend, IProcessorThreads, IParallelRuns
{
    // 256x256. Measured: from there on a picture alone keeps the cores busy, and its values stay in their caches, where
    // those of four do not; at 128x128 four together are up to a third faster.
    private const int WorthwhilePixels = 1 << 16;

    // Each has its own values in memory, which is why they are few.
    private const int MostRuns = 4;

    private readonly EngineHandle _engine;
    private readonly PackedConvolutions _convolutions;
    private readonly DType _storage;
    private readonly ProcessorNode? _node;
    private readonly Arenas _arenas;

    /// <summary>Starts the thread pool.</summary>
    /// <param name="threads">
    /// The number of threads of a run, the caller's included; 0 means one per core that the process may use.
    /// </param>
    /// <param name="precision">
    /// <see cref="Precision.Fp32"/>; <see cref="Precision.Bf16"/>: weights and values stored as bfloat16, sums and
    /// scores in float32; or <see cref="Precision.Int8"/>: 8 bits wherever a graph says how, float32 elsewhere.
    /// </param>
    /// <param name="node">
    /// The cores that all of it happens on, weights and values in their memory; null for any. A core of them each is
    /// then the usual number of threads.
    /// </param>
    /// <exception cref="UnavailableException">
    /// libatrous is missing, ATROUS_ISA names nothing that the processor has, or it lacks what the precision takes.
    /// </exception>
    public CpuBackend(int threads = 0, Precision precision = Precision.Fp32, ProcessorNode? node = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        string asked = precision.ToString().ToLowerInvariant();
        _storage = precision switch
        {
            Precision.Fp32 => DType.Float32,
            Precision.Bf16 => DType.BFloat16,
            Precision.Int8 => DType.UInt8,
            _ => throw new UnavailableException(
                $"The device cpu computes in fp32, bf16 or int8; it does not have {asked}."),
        };
        (_node, _arenas) = (node, node is null ? Arenas.Shared : new Arenas());
        // Its threads stay where the one is that starts them.
        using ProcessorNode.Stay stay = ProcessorNode.Enter(node);
        _engine = new EngineHandle(threads == 0 && node is not null ? node.Threads : threads);
        try
        {
            if (precision == Precision.Bf16)
                LibAtrous.ThrowIfFailed(LibAtrous.EngineRequireBFloat16(_engine));
        }
        catch
        {
            _engine.Dispose();
            throw;
        }
        _convolutions = new PackedConvolutions(_engine, node);
    }

    /// <inheritdoc/>
    public string Name => CpuDescriptor.NameOf(_node);

    /// <summary>The instruction set in use: "baseline", "avx2" and so on, as ATROUS_ISA names them.</summary>
    public string InstructionSet => _engine.Isa;

    /// <summary>Threads of a run, the caller's included.</summary>
    public int Threads => _engine.Threads;

    /// <summary>
    /// Runs that go on at a time share the threads. Of as many as threads each has one and waits for nobody between two
    /// layers.
    /// </summary>
    public int RunsAtOnce => Math.Min(Threads, MostRuns);

    /// <summary>Weights and values are the same for all runs.</summary>
    public int RunsToWarmUp => 1;

    /// <summary>For pre-processing on the same threads.</summary>
    public EngineHandle Engine => _engine;

    /// <inheritdoc/>
    public IExecutable Compile(NetworkGraph graph) => Compiled(GraphPasses.ApplyAll(graph, _storage));

    /// <summary>
    /// A network in float32 whose layers' values are all made, those before sums and curved activations too, for
    /// whoever looks at them.
    /// </summary>
    public CpuExecutable CompileInLayers(NetworkGraph graph) => Compiled(GraphPasses.Apply(
        graph,
        [.. GraphPasses.FusionsForExchange, .. GraphPasses.Without(GraphPasses.Layout, nameof(FuseSeparable))]));

    /// <inheritdoc/>
    public int WorthwhileBatch(int height, int width) => (int)Math.Max(1, WorthwhilePixels / ((long)height * width));

    /// <inheritdoc/>
    public void Dispose()
    {
        _convolutions.Dispose();
        _engine.Dispose();
    }

    private CpuExecutable Compiled(NetworkGraph graph) => new(_engine, graph, _convolutions, _arenas, _node);
}
