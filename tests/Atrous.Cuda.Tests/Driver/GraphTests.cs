using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;

namespace Atrous.Cuda.Tests.Driver;

public sealed class GraphTests : IDisposable
{
    private const int Count = 256;

    private readonly PrimaryContext _context = new();
    private readonly CudaStream _stream;
    private readonly CudaModule _module;
    private readonly CudaKernel _scale;
    private readonly CudaDeviceVariable<float> _memory;
    private readonly CudaPageLockedHostMemory<float> _sent, _received;

    public GraphTests()
    {
        _context.SetCurrent();
        _stream = new CudaStream(_context);
        _module = new CudaModule(_context, TestKernels.Ptx);
        _scale = _module.GetKernel(TestKernels.Scale);
        _memory = new CudaDeviceVariable<float>(_context, Count);
        _sent = new CudaPageLockedHostMemory<float>(_context, Count);
        _received = new CudaPageLockedHostMemory<float>(_context, Count);
        for (int i = 0; i < Count; i++)
            _sent.Span[i] = i;
    }

    public void Dispose()
    {
        _received.Dispose();
        _sent.Dispose();
        _memory.Dispose();
        _module.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void A_replay_computes_what_a_direct_run_does()
    {
        Work(3);
        _stream.Synchronize();
        float[] direct = _received.Span.ToArray();

        _received.Span.Clear();
        using CudaGraph graph = Capture(3);
        Assert.Equal(4, graph.NodeCount);
        Assert.All(_received.Span.ToArray(), value => Assert.Equal(0, value));
        using CudaGraphExec executable = graph.Instantiate();
        executable.Upload(_stream);
        for (int round = 0; round < 3; round++)
        {
            // The graph holds addresses, not contents: what is sent is read at every launch.
            _sent.Span[0] = round;
            executable.Launch(_stream);
            _stream.Synchronize();
            Assert.Equal((round * 3 + 1) * 3 + 1, _received.Span[0]);
            Assert.Equal(direct[1..], _received.Span[1..].ToArray());
        }
    }

    [Fact]
    public void An_executable_outlives_its_graph()
    {
        CudaGraph graph = Capture(2);
        using CudaGraphExec executable = graph.Instantiate();
        graph.Dispose();
        executable.Launch(_stream);
        _stream.Synchronize();
        Assert.Equal(1 * 4 + 3, _received.Span[1]);
    }

    [Fact]
    public void Launching_a_graph_allocates_nothing()
    {
        using CudaGraph graph = Capture(1);
        using CudaGraphExec executable = graph.Instantiate();
        for (int i = 0; i < 50; i++)
            executable.Launch(_stream);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
            executable.Launch(_stream);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        _stream.Synchronize();
    }

    [Fact]
    public void An_update_takes_other_parameters_of_the_same_shape()
    {
        using CudaGraph first = Capture(2), second = Capture(5);
        using CudaGraphExec executable = first.Instantiate();
        Assert.Equal(CUgraphExecUpdateResult.Success, executable.Update(second));
        executable.Launch(_stream);
        _stream.Synchronize();
        Assert.Equal((1 * 5 + 1) * 5 + 1, _received.Span[1]);
    }

    [Fact]
    public void An_update_of_another_shape_is_refused_and_changes_nothing()
    {
        using CudaGraph graph = Capture(2);
        using CudaGraphExec executable = graph.Instantiate();
        _stream.BeginCapture();
        _memory.AsyncCopyToDevice(_sent, Count, _stream);
        using CudaGraph other = _stream.EndCapture();
        Assert.Equal(CUgraphExecUpdateResult.TopologyChanged, executable.Update(other));
        executable.Launch(_stream);
        _stream.Synchronize();
        Assert.Equal(1 * 4 + 3, _received.Span[1]);
    }

    [Fact]
    public void A_second_stream_joins_a_capture_through_events()
    {
        using var side = new CudaStream(_context);
        using var other = new CudaDeviceVariable<float>(_context, Count);
        using CudaEvent fork = new(_context, CUEventFlags.DisableTiming),
            join = new(_context, CUEventFlags.DisableTiming);
        _stream.BeginCapture();
        _memory.AsyncCopyToDevice(_sent, Count, _stream);
        fork.Record(_stream);
        side.WaitEvent(fork);
        Assert.Equal(CUstreamCaptureStatus.Active, side.CaptureStatus);
        TestKernels.Launch(_scale, side, _memory, other, 10, 0);
        join.Record(side);
        _stream.WaitEvent(join);
        other.AsyncCopyToHost(_received, Count, _stream);
        using CudaGraph graph = _stream.EndCapture();
        Assert.Equal(CUstreamCaptureStatus.None, side.CaptureStatus);
        using CudaGraphExec executable = graph.Instantiate();
        executable.Launch(_stream);
        _stream.Synchronize();
        Assert.Equal(70, _received.Span[7]);
    }

    [Fact]
    public void A_stream_that_is_not_joined_again_fails_the_capture()
    {
        using var side = new CudaStream(_context);
        using var fork = new CudaEvent(_context, CUEventFlags.DisableTiming);
        _stream.BeginCapture();
        fork.Record(_stream);
        side.WaitEvent(fork);
        _memory.AsyncCopyToDevice(_sent, Count, side);
        var failure = Assert.Throws<CudaException>(() => _stream.EndCapture());
        Assert.Equal(("cuStreamEndCapture", CUResult.ErrorStreamCaptureUnjoined), (failure.Call, failure.CudaError));
        AssertUsable();
    }

    [Fact]
    public void Waiting_or_allocating_spoils_a_capture()
    {
        foreach (
            Action forbidden in (Action[])[_stream.Synchronize, () => _stream.Query(), () =>
            new CudaDeviceVariable<int>(_context, 1).Dispose()])
        {
            _stream.BeginCapture();
            Assert.Equal(CUResult.ErrorStreamCaptureUnsupported, Assert.Throws<CudaException>(forbidden).CudaError);
            Assert.Equal(CUstreamCaptureStatus.Invalidated, _stream.CaptureStatus);
            Assert.Equal(CUResult.ErrorStreamCaptureInvalidated,
                Assert.Throws<CudaException>(() => _stream.EndCapture()).CudaError);
            AssertUsable();
        }
    }

    [Fact]
    public void Another_thread_may_allocate_during_a_thread_local_capture_and_not_during_a_global_one()
    {
        _stream.BeginCapture();
        Assert.Null(FailureOnAnotherThread(() => new CudaDeviceVariable<int>(_context, 1).Dispose()));
        using (CudaGraph graph = _stream.EndCapture())
            Assert.Equal(0, graph.NodeCount);

        _stream.BeginCapture(CUstreamCaptureMode.Global);
        CudaException? failure = FailureOnAnotherThread(() => new CudaDeviceVariable<int>(_context, 1).Dispose());
        Assert.Equal(CUResult.ErrorStreamCaptureUnsupported, failure?.CudaError);
        Assert.Throws<CudaException>(() => _stream.EndCapture());
    }

    [Fact]
    public void The_default_stream_cannot_be_captured()
    {
        using var stream = new CudaStream(new CUstream(0));
        Assert.Equal(CUResult.ErrorStreamCaptureUnsupported,
            Assert.Throws<CudaException>(() => stream.BeginCapture()).CudaError);
    }

    private static CudaException? FailureOnAnotherThread(Action action)
    {
        CudaException? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action) as CudaException);
        thread.Start();
        thread.Join();
        return failure;
    }

    private CudaGraph Capture(float factor)
    {
        _stream.BeginCapture();
        Work(factor);
        return _stream.EndCapture();
    }

    /// <summary>received = (sent * factor + 1) * factor + 1.</summary>
    private void Work(float factor)
    {
        _memory.AsyncCopyToDevice(_sent, Count, _stream);
        TestKernels.Launch(_scale, _stream, _memory, _memory, factor, 1);
        TestKernels.Launch(_scale, _stream, _memory, _memory, factor, 1);
        _memory.AsyncCopyToHost(_received, Count, _stream);
    }

    private void AssertUsable()
    {
        Work(1);
        _stream.Synchronize();
        Assert.Equal(3, _received.Span[1]);
    }
}
