using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.Native;

namespace Atrous.Cuda.Tests.Driver;

public sealed class ContextTests
{
    [Fact]
    public void The_driver_says_its_version_and_its_devices()
    {
        Assert.True(CudaContext.GetDriverVersion() >= new Version(12, 0));
        Assert.True(CudaContext.GetDeviceCount() >= 1);
        CudaDeviceProperties device = CudaContext.GetDeviceInfo(0);
        Assert.NotEmpty(device.DeviceName);
        Assert.True(device.ComputeCapability.Major >= 7);
        Assert.True(device.TotalGlobalMemory > 1 << 30);
        Assert.NotEqual(Guid.Empty, device.Uuid);
        Assert.True(device.MemoryPoolsSupported);
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused_with_how_many_there_are()
    {
        var refused = Assert.Throws<ArgumentOutOfRangeException>(() => new PrimaryContext(99));
        Assert.Contains($"There is no CUDA device 99; there are {CudaContext.GetDeviceCount()}.", refused.Message);
    }

    [Fact]
    public void A_scope_leaves_the_thread_with_the_context_that_it_had()
    {
        using var context = new PrimaryContext();
        CUcontext before = Current();
        using (context.Enter())
        {
            Assert.Equal(context.Context, Current());
            using (context.Enter())
                Assert.Equal(context.Context, Current());
            Assert.Equal(context.Context, Current());
        }
        Assert.Equal(before, Current());
    }

    [Fact]
    public void A_context_of_the_application_is_used_and_left_alone()
    {
        using var owner = new PrimaryContext();
        using (CudaContext guest = CudaContext.FromExisting(owner.Context))
        {
            using var memory = new CudaDeviceVariable<int>(guest, 3);
            memory.CopyToDevice([1, 2, 3]);
        }
        using (owner.Enter())
            owner.Synchronize();
    }

    [Fact]
    public void A_context_lives_as_long_as_what_was_made_in_it()
    {
        SoftwareDevice.Require();
        long before = SoftwareDevice.Count(Live.Contexts);
        var context = new PrimaryContext();
        var memory = new CudaDeviceVariable<int>(context, 16);
        context.Dispose();
        Assert.Equal(before + 1, SoftwareDevice.Count(Live.Contexts));
        memory.Dispose();
        Assert.Equal(before, SoftwareDevice.Count(Live.Contexts));
        Assert.Throws<ObjectDisposedException>(() => context.Synchronize());
        Assert.Throws<ObjectDisposedException>(() => new CudaDeviceVariable<int>(context, 1));
    }

    [Fact]
    public void What_nobody_disposed_is_freed_by_the_collector()
    {
        SoftwareDevice.Require();
        long before = SoftwareDevice.Count(Live.Allocations);
        Forget();
        Assert.Equal(before + 1, SoftwareDevice.Count(Live.Allocations));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(before, SoftwareDevice.Count(Live.Allocations));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget() => new CudaDeviceVariable<byte>(new PrimaryContext(), 100).CopyToDevice([1]);
    }

    [Fact]
    public void A_failure_names_the_call_the_error_and_the_drivers_words()
    {
        using var context = new PrimaryContext();
        var failure = Assert.Throws<CudaException>(() => new CudaDeviceVariable<byte>(context, 1L << 60));
        Assert.Equal("cuMemAlloc_v2 failed with CUDA_ERROR_OUT_OF_MEMORY (2): out of memory.", failure.Message);
        Assert.Equal((CUResult.ErrorOutOfMemory, "cuMemAlloc_v2", "CUDA_ERROR_OUT_OF_MEMORY"),
            (failure.CudaError, failure.Call, failure.ErrorName));
    }

    private static CUcontext Current()
    {
        DriverApi.ThrowIfFailed(DriverApi.cuCtxGetCurrent(out CUcontext context));
        return context;
    }
}
