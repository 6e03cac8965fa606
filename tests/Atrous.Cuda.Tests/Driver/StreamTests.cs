using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;

namespace Atrous.Cuda.Tests.Driver;

public sealed class StreamTests : IDisposable
{
    private readonly PrimaryContext _context = new();

    public StreamTests() => _context.SetCurrent();

    public void Dispose() => _context.Dispose();

    [Fact]
    public void Work_without_a_current_context_is_refused_with_what_to_do()
    {
        SoftwareDevice.Require();
        using var stream = new CudaStream(_context);
        CudaException? failure = null;
        var thread = new Thread(() => failure = Assert.Throws<CudaException>(stream.Synchronize));
        thread.Start();
        thread.Join();
        Assert.Contains("CUDA_ERROR_INVALID_CONTEXT (201)", failure!.Message);
        Assert.Contains("CudaContext.Enter", failure.Message);
    }

    [Fact]
    public void A_copy_in_a_stream_runs_beside_the_host()
    {
        SoftwareDevice.Require();
        using var stream = new CudaStream(_context);
        using var pinned = new CudaPageLockedHostMemory<int>(_context, 1);
        using var memory = new CudaDeviceVariable<int>(_context, 1);
        memory.CopyToDevice([5]);
        pinned.Span[0] = 0;
        SoftwareDevice.SetDelay(50_000);
        memory.AsyncCopyToHost(pinned, 1, stream);
        Assert.False(stream.Query());
        Assert.Equal(0, pinned.Span[0]);
        stream.Synchronize();
        Assert.True(stream.Query());
        Assert.Equal(5, pinned.Span[0]);
    }

    [Fact]
    public void An_event_orders_one_stream_after_another()
    {
        using CudaStream first = new(_context), second = new(_context);
        using var ready = new CudaEvent(_context, CUEventFlags.DisableTiming);
        using var sent = new CudaPageLockedHostMemory<int>(_context, 1 << 16);
        using var received = new CudaPageLockedHostMemory<int>(_context, 1 << 16);
        using var memory = new CudaDeviceVariable<int>(_context, 1 << 16);
        sent.Span.Fill(9);
        if (SoftwareDevice.Used)
            SoftwareDevice.SetDelay(10_000);
        memory.AsyncCopyToDevice(sent, sent.Size, first);
        ready.Record(first);
        second.WaitEvent(ready);
        memory.AsyncCopyToHost(received, received.Size, second);
        second.Synchronize();
        Assert.True(ready.Query());
        Assert.Equal(sent.Span, received.Span);
    }

    [Fact]
    public void Events_measure_time()
    {
        using var stream = new CudaStream(_context);
        using CudaEvent start = new(_context), end = new(_context);
        using var memory = new CudaDeviceVariable<byte>(_context, 1 << 20);
        if (SoftwareDevice.Used)
            SoftwareDevice.SetDelay(10_000);
        start.Record(stream);
        memory.MemsetAsync((byte)1, stream);
        end.Record(stream);
        end.Synchronize();
        TimeSpan elapsed = CudaEvent.ElapsedTime(start, end);
        Assert.True(elapsed > TimeSpan.Zero);
        if (SoftwareDevice.Used)
            Assert.True(elapsed >= TimeSpan.FromMilliseconds(9), $"{elapsed}");
    }

    [Fact]
    public void Time_needs_events_that_measure_and_are_done()
    {
        using var stream = new CudaStream(_context);
        using CudaEvent never = new(_context), done = new(_context),
            untimed = new(_context, CUEventFlags.DisableTiming);
        done.Record(stream);
        untimed.Record(stream);
        stream.Synchronize();
        Assert.Equal(CUResult.ErrorInvalidHandle,
            Assert.Throws<CudaException>(() => CudaEvent.ElapsedTime(never, done)).CudaError);
        Assert.Equal(CUResult.ErrorInvalidHandle,
            Assert.Throws<CudaException>(() => CudaEvent.ElapsedTime(done, untimed)).CudaError);
    }

    [Fact]
    public void Closing_a_stream_lets_its_work_end()
    {
        using var pinned = new CudaPageLockedHostMemory<int>(_context, 4);
        using var memory = new CudaDeviceVariable<int>(_context, 4);
        pinned.Span.Fill(3);
        using (var stream = new CudaStream(_context))
            memory.AsyncCopyToDevice(pinned, 4, stream);
        _context.Synchronize();
        int[] seen = new int[4];
        memory.CopyToHost(seen);
        Assert.Equal([3, 3, 3, 3], seen);
    }

    [Fact]
    public void Nothing_works_after_dispose()
    {
        var stream = new CudaStream(_context);
        var mark = new CudaEvent(_context);
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(stream.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => stream.Stream);
        Assert.Throws<ObjectDisposedException>(() => mark.Record(stream));
        mark.Dispose();
        Assert.Throws<ObjectDisposedException>(mark.Synchronize);
    }

    [Fact]
    public async Task Streams_on_many_threads_do_not_mix()
    {
        using var module = new CudaModule(_context, TestKernels.Ptx);
        CudaKernel scale = module.GetKernel(TestKernels.Scale);
        await Task.WhenAll(Enumerable.Range(1, 8).Select(number => Task.Run(() =>
        {
            using (_context.Enter())
            {
                using var stream = new CudaStream(_context);
                using var memory = new CudaDeviceVariable<float>(_context, 500);
                using var pinned = new CudaPageLockedHostMemory<float>(_context, 500);
                for (int round = 0; round < 20; round++)
                {
                    pinned.Span.Fill(number);
                    memory.AsyncCopyToDevice(pinned, 500, stream);
                    TestKernels.Launch(scale, stream, memory, memory, round, number);
                    memory.AsyncCopyToHost(pinned, 500, stream);
                    stream.Synchronize();
                    Assert.All(pinned.Span.ToArray(), value => Assert.Equal(number * round + number, value));
                }
            }
        })));
    }
}
