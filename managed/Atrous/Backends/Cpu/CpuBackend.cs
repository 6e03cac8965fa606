using Atrous.Graph;
using Atrous.Graph.Passes;
using Atrous.Native;

namespace Atrous.Backends.Cpu;

/// <summary>
/// Runs graphs on the processor through libatrous: the instruction set is picked at run time (forceable by the environment
/// variable ATROUS_ISA), weights are packed once and shared by every shape. Owns the thread pool and the packed weights;
/// dispose it after its executables.
/// </summary>
public sealed class CpuBackend : IBackend
{
    // 256x256. Measured: from there on a picture alone keeps the cores busy, and its values stay in their caches, where
    // those of four do not; at 128x128 four together are up to a third faster.
    private const int WorthwhilePixels = 1 << 16;

    private readonly EngineHandle _engine;
    private readonly PackedConvolutions _convolutions;

    /// <summary>Starts the thread pool.</summary>
    /// <param name="threads">Threads of a run, the caller's included; 0 means one per core that the process may use.</param>
    /// <exception cref="UnavailableException">libatrous is missing, or the processor lacks what ATROUS_ISA names.</exception>
    public CpuBackend(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _engine = new EngineHandle(threads);
        _convolutions = new PackedConvolutions(_engine);
    }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <summary>The instruction set in use: "baseline", "avx2" or "avx512".</summary>
    public string InstructionSet => _engine.Isa;

    /// <summary>Threads of a run, the caller's included.</summary>
    public int Threads => _engine.Threads;

    /// <summary>For pre-processing on the same threads.</summary>
    internal EngineHandle Engine => _engine;

    /// <inheritdoc/>
    public IExecutable Compile(NetworkGraph graph) => new CpuExecutable(_engine, StandardPasses.Apply(graph), _convolutions, Arenas.Shared);

    /// <inheritdoc/>
    public int WorthwhileBatch(int height, int width) => (int)Math.Max(1, WorthwhilePixels / ((long)height * width));

    /// <inheritdoc/>
    public void Dispose()
    {
        _convolutions.Dispose();
        _engine.Dispose();
    }
}
