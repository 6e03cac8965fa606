using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <summary>Owns an atrous_engine. One engine may serve many threads at once.</summary>
internal sealed unsafe class EngineHandle : SafeHandle
{
    /// <summary>Starts an engine.</summary>
    /// <param name="threads">
    /// The number of threads, the caller's own included; 0 takes one per core that the process may use.
    /// </param>
    /// <exception cref="UnavailableException">
    /// ATROUS_ISA names no instruction set, or one that this processor lacks.
    /// </exception>
    public EngineHandle(int threads = 0)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        // .NET's count respects a container's CPU quota as well as the affinity mask.
        int count = threads == 0 ? Environment.ProcessorCount : threads;
        LibAtrous.ThrowIfFailed(LibAtrous.EngineCreate(count, out nint engine));
        SetHandle(engine);
    }

    /// <summary>"baseline", "avx2" and so on, as the environment variable ATROUS_ISA names them.</summary>
    public string Isa => Marshal.PtrToStringUTF8((nint)LibAtrous.EngineIsa(this)) ?? "";

    public int Threads => LibAtrous.EngineThreads(this);

    /// <summary>
    /// Begins a run on the calling thread: while several go on, they share the threads instead of waiting for them.
    /// Dispose what it gives, on any thread, when the run has ended.
    /// </summary>
    public Run Begin() => new(this);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibAtrous.EngineDestroy(handle);
        return true;
    }

    /// <summary>A run that goes on.</summary>
    internal readonly ref struct Run
    {
        private readonly EngineHandle _engine;

        public Run(EngineHandle engine)
        {
            _engine = engine;
            LibAtrous.EngineBeginRun(engine);
        }

        public void Dispose() => LibAtrous.EngineEndRun(_engine);
    }
}
