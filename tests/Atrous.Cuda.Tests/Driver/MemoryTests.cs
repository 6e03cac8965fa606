using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;

namespace Atrous.Cuda.Tests.Driver;

public sealed class MemoryTests : IDisposable
{
    private readonly PrimaryContext _context = new();
    private readonly CudaStream _stream;

    public MemoryTests()
    {
        _context.SetCurrent();
        _stream = new CudaStream(_context);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void What_was_sent_comes_back()
    {
        float[] sent = [1, -2, 3.5f, float.NaN], received = new float[4];
        using var memory = new CudaDeviceVariable<float>(_context, 4);
        memory.CopyToDevice(sent);
        memory.CopyToHost(received);
        Assert.Equal(sent, received);
        Assert.Equal((4, 16), (memory.Size, memory.SizeInBytes));
    }

    [Fact]
    public void Pinned_memory_goes_through_a_stream_and_pooled_memory()
    {
        using var sent = new CudaPageLockedHostMemory<int>(_context, 1000);
        using var received = new CudaPageLockedHostMemory<int>(_context, 1000);
        for (int i = 0; i < 1000; i++)
            sent.Span[i] = i * i;
        using (var first = new CudaDeviceVariable<int>(_context, 1000, _stream))
        using (var second = new CudaDeviceVariable<int>(_context, 1000, _stream))
        {
            first.AsyncCopyToDevice(sent, 1000, _stream);
            first.AsyncCopyToDevice(second, 1000, _stream);
            second.AsyncCopyToHost(received, 1000, _stream);
        }
        _stream.Synchronize();
        Assert.Equal(sent.Span, received.Span);
    }

    [Fact]
    public void Fills_set_every_element()
    {
        using var memory = new CudaDeviceVariable<uint>(_context, 5);
        uint[] seen = new uint[5];
        memory.MemsetAsync(0xDEADBEEF, _stream);
        _stream.Synchronize();
        memory.CopyToHost(seen);
        Assert.All(seen, value => Assert.Equal(0xDEADBEEF, value));
        memory.MemsetAsync((byte)7, _stream);
        _stream.Synchronize();
        memory.CopyToHost(seen);
        Assert.All(seen, value => Assert.Equal(0x07070707u, value));
    }

    [Fact]
    public void The_pool_counts_what_is_used()
    {
        var pool = new CudaMemoryPool(_context) { ReleaseThreshold = 1 << 20 };
        Assert.Equal(1u << 20, pool.ReleaseThreshold);
        ulong before = pool.UsedMemory;
        using (new CudaDeviceVariable<byte>(_context, 4096, _stream))
        {
            Assert.Equal(before + 4096, pool.UsedMemory);
            Assert.True(pool.ReservedMemory >= pool.UsedMemory);
        }
        _stream.Synchronize();
        Assert.Equal(before, pool.UsedMemory);
        Assert.True(pool.PeakUsedMemory >= before + 4096);
        pool.ReleaseThreshold = 0;
        pool.TrimTo(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Memory_that_runs_out_is_one_exception_and_no_leak(int nth)
    {
        SoftwareDevice.Require();
        SoftwareDevice.FailAllocation(nth);
        var failure = Assert.Throws<CudaException>(() =>
        {
            using var first = new CudaDeviceVariable<int>(_context, 10);
            using var second = new CudaDeviceVariable<int>(_context, 10, _stream);
            using var third = new CudaPageLockedHostMemory<int>(_context, 10);
        });
        Assert.Equal(CUResult.ErrorOutOfMemory, failure.CudaError);
        Assert.Equal(((string[])["cuMemAlloc_v2", "cuMemAllocAsync", "cuMemHostAlloc"])[nth - 1], failure.Call);
        // The driver goes on as if nothing had happened.
        new CudaDeviceVariable<int>(_context, 10).Dispose();
        _stream.Synchronize();
    }

    [Fact]
    public void A_copy_that_does_not_fit_is_refused_before_the_driver_sees_it()
    {
        using var memory = new CudaDeviceVariable<float>(_context, 4);
        using var pinned = new CudaPageLockedHostMemory<float>(_context, 8);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.CopyToDevice(new float[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.CopyToHost(new float[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.AsyncCopyToDevice(pinned, 5, _stream));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.AsyncCopyToHost(pinned, -1, _stream));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CudaDeviceVariable<float>(_context, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CudaPageLockedHostMemory<float>(_context, -1));
    }

    [Fact]
    public void A_pointer_of_the_application_is_used_in_its_stream_and_left_alone()
    {
        using var owner = new CudaDeviceVariable<int>(_context, 4);
        owner.CopyToDevice([1, 2, 3, 4]);
        using var pinned = new CudaPageLockedHostMemory<int>(_context, 3);
        using (var guest = new CudaDeviceVariable<int>(owner.DevicePointer + 4, 3))
        using (var stream = new CudaStream(_stream.Stream))
        {
            guest.AsyncCopyToHost(pinned, 3, stream);
            stream.Synchronize();
            Assert.Throws<InvalidOperationException>(() => guest.CopyToHost(new int[3]));
        }
        Assert.Equal([2, 3, 4], pinned.Span.ToArray());
        owner.CopyToHost(new int[4]);
    }

    [Fact]
    public void A_pointer_that_claims_too_much_is_found_by_the_device()
    {
        SoftwareDevice.Require();
        using var owner = new CudaDeviceVariable<int>(_context, 4);
        using var pinned = new CudaPageLockedHostMemory<int>(_context, 8);
        using var liar = new CudaDeviceVariable<int>(owner.DevicePointer, 5);
        var failure = Assert.Throws<CudaException>(() => liar.AsyncCopyToHost(pinned, 5, _stream));
        Assert.Equal(("cuMemcpyDtoHAsync_v2", CUResult.ErrorInvalidValue), (failure.Call, failure.CudaError));
        Assert.Contains("out of bounds", SoftwareDevice.Reports);
        SoftwareDevice.Reset();
    }

    [Fact]
    public void Nothing_works_after_dispose()
    {
        var memory = new CudaDeviceVariable<int>(_context, 4);
        var pinned = new CudaPageLockedHostMemory<int>(_context, 4);
        memory.Dispose();
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.DevicePointer);
        Assert.Throws<ObjectDisposedException>(() => memory.CopyToHost(new int[4]));
        Assert.Throws<ObjectDisposedException>(() => memory.AsyncCopyToDevice(pinned, 4, _stream));
        pinned.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pinned.Span.Length);
    }

    [Fact]
    public void Freeing_memory_that_a_copy_still_needs_is_found_by_the_device()
    {
        SoftwareDevice.Require();
        using var pinned = new CudaPageLockedHostMemory<int>(_context, 4);
        SoftwareDevice.SetDelay(20_000);
        using (var memory = new CudaDeviceVariable<int>(_context, 4))
            memory.AsyncCopyToHost(pinned, 4, _stream);
        var failure = Assert.Throws<CudaException>(_stream.Synchronize);
        Assert.Equal(("cuStreamSynchronize", CUResult.ErrorIllegalAddress), (failure.Call, failure.CudaError));
        Assert.Contains("which was freed", SoftwareDevice.Reports);
        // As on a GPU the error stays until the process ends; here it can be forgotten.
        Assert.Throws<CudaException>(() => new CudaDeviceVariable<int>(_context, 4));
        SoftwareDevice.Reset();
    }
}
