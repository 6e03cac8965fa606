using System.Text;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;

namespace Atrous.Cuda.Tests.Driver;

public sealed class KernelTests : IDisposable
{
    private readonly PrimaryContext _context = new();
    private readonly CudaStream _stream;
    private readonly CudaModule _module;

    public KernelTests()
    {
        _context.SetCurrent();
        _stream = new CudaStream(_context);
        _module = new CudaModule(_context, TestKernels.Ptx);
    }

    public void Dispose()
    {
        _module.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void A_kernel_computes()
    {
        float[] values = [.. Enumerable.Range(0, 300).Select(i => (float)i)];
        using var memory = new CudaDeviceVariable<float>(_context, 300);
        memory.CopyToDevice(values);
        TestKernels.Launch(_module.GetKernel(TestKernels.Scale), _stream, memory, memory, 2, 1);
        _stream.Synchronize();
        float[] seen = new float[300];
        memory.CopyToHost(seen);
        Assert.Equal(values.Select(value => value * 2 + 1), seen);
    }

    [Fact]
    public void A_kernel_tells_its_parameters_and_resources()
    {
        CudaKernel scale = _module.GetKernel(TestKernels.Scale);
        if (CudaContext.GetDriverVersion() >= new Version(12, 4))
            Assert.Equal([8, 8, 4, 4, 4], scale.ParameterSizes!);
        Assert.InRange(scale.Registers, 1, 255);
        Assert.InRange(scale.MaxThreadsPerBlock, 128, 1024);
        Assert.True(scale.GetOccupancyMaxActiveBlocksPerMultiprocessor(128) > 0);
        scale.MaxDynamicSharedSizeBytes = 64 * 1024;
        Assert.Equal(64 * 1024, scale.MaxDynamicSharedSizeBytes);
    }

    [Fact]
    public void Launching_allocates_nothing()
    {
        using var memory = new CudaDeviceVariable<float>(_context, 128);
        memory.MemsetAsync((byte)0, _stream);
        CudaKernel scale = _module.GetKernel(TestKernels.Scale);
        for (int i = 0; i < 100; i++)
            TestKernels.Launch(scale, _stream, memory, memory, 1, 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            TestKernels.Launch(scale, _stream, memory, memory, 1, 1);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        _stream.Synchronize();
        float[] seen = new float[128];
        memory.CopyToHost(seen);
        Assert.All(seen, value => Assert.Equal(1100, value));
    }

    [Fact]
    public void Wrong_arguments_are_refused_where_the_driver_tells_the_right_ones()
    {
        Assert.SkipUnless(
            CudaContext.GetDriverVersion() >= new Version(12, 4), "this driver does not tell a kernel's parameters");
        CudaKernel overrun = _module.GetKernel(TestKernels.Overrun);
        var refused = Assert.Throws<ArgumentException>(() =>
        {
            var arguments = new KernelArguments();
            arguments.Add(0UL);
            arguments.Add(0L);
            overrun.RunAsync(_stream, new dim3(1), new dim3(1), ref arguments);
        });
        Assert.StartsWith(
            "The kernel atrous_test_overrun takes 2 arguments of 8, 4 bytes, not 2 of 8, 8.", refused.Message);
    }

    [Fact]
    public void Too_many_arguments_are_refused()
    {
        Assert.Throws<InvalidOperationException>(() =>
        {
            var arguments = new KernelArguments();
            for (int i = 0; i <= KernelArguments.MaxCount; i++)
                arguments.Add(i);
        });
    }

    [Fact]
    public void Structs_and_small_numbers_keep_their_bytes()
    {
        SoftwareDevice.Require();
        using var module = new CudaModule(_context, Encoding.UTF8.GetBytes("""
            .version 7.0
            .target sm_80
            .address_size 64
            .entry many(.param .u8 a, .param .align 8 .b8 b[20], .param .f16 c, .param .b64 d)
            { ret; }
            .entry none()
            { ret; }
            .entry bare
            { ret; }
            """));
        Assert.Equal([1, 20, 2, 8], module.GetKernel("many").ParameterSizes!);
        Assert.Empty(module.GetKernel("none").ParameterSizes!);
        Assert.Empty(module.GetKernel("bare").ParameterSizes!);
    }

    [Fact]
    public void A_launch_that_the_device_cannot_hold_is_refused()
    {
        CudaKernel scale = _module.GetKernel(TestKernels.Scale);
        using var memory = new CudaDeviceVariable<float>(_context, 1);
        foreach (
            (dim3 grid, dim3 block, int shared) in (
                (dim3, dim3, int)[])[(new(1), new(2048), 0), (new(0), new(1), 0), (new(1), new(1), 1 << 20)])
        {
            var failure = Assert.Throws<CudaException>(() =>
            {
                var arguments = new KernelArguments();
                arguments.Add(memory.DevicePointer);
                arguments.Add(memory.DevicePointer);
                arguments.Add(1);
                arguments.Add(1f);
                arguments.Add(0f);
                scale.RunAsync(_stream, grid, block, ref arguments, shared);
            });
            Assert.Equal(("cuLaunchKernel", CUResult.ErrorInvalidValue), (failure.Call, failure.CudaError));
        }
    }

    [Fact]
    public void A_module_that_does_not_compile_shows_the_compilers_log()
    {
        SoftwareDevice.Require();
        SoftwareDevice.FailJit("ptxas application ptx input, line 7; error : Unexpected instruction types");
        var failure = Assert.Throws<CudaException>(() => new CudaModule(_context, TestKernels.Ptx));
        Assert.Equal((CUResult.ErrorInvalidPtx, "cuModuleLoadDataEx"), (failure.CudaError, failure.Call));
        Assert.Contains("line 7; error : Unexpected instruction types", failure.Message);
        Assert.Equal("ptxas application ptx input, line 7; error : Unexpected instruction types", failure.Log);
        new CudaModule(_context, TestKernels.Ptx).Dispose();
    }

    [Fact]
    public void Text_that_is_no_ptx_is_refused()
    {
        var failure = Assert.Throws<CudaException>(() => new CudaModule(_context, "int main() {}"u8));
        Assert.Contains(failure.CudaError, (CUResult[])[CUResult.ErrorInvalidPtx, CUResult.ErrorInvalidImage]);
    }

    [Fact]
    public void A_ptx_version_of_the_future_is_refused() => Assert.Equal(
        CUResult.ErrorUnsupportedPtxVersion,
        Assert.Throws<CudaException>(
            () => new CudaModule(_context, ".version 99.0\n.target sm_80\n.address_size 64\n"u8)).CudaError);

    [Fact]
    public void A_kernel_that_is_not_there_is_named()
    {
        var failure = Assert.Throws<CudaException>(() => _module.GetKernel("atrous_missing"));
        Assert.Equal(CUResult.ErrorNotFound, failure.CudaError);
        Assert.Contains("'atrous_missing'", failure.Message);
    }

    [Fact]
    public void Nothing_works_after_dispose()
    {
        var module = new CudaModule(_context, TestKernels.Ptx);
        CudaKernel scale = module.GetKernel(TestKernels.Scale);
        module.Dispose();
        using var memory = new CudaDeviceVariable<float>(_context, 1);
        Assert.Throws<ObjectDisposedException>(() => module.GetKernel(TestKernels.Scale));
        Assert.Throws<ObjectDisposedException>(() => TestKernels.Launch(scale, _stream, memory, memory, 1, 1));
        Assert.Throws<ObjectDisposedException>(() => scale.Registers);
    }

    [Fact]
    public void A_kernel_that_writes_past_an_end_is_found_by_the_device()
    {
        SoftwareDevice.Require();
        using var memory = new CudaDeviceVariable<float>(_context, 10);
        CudaKernel overrun = _module.GetKernel(TestKernels.Overrun);
        var arguments = new KernelArguments();
        arguments.Add(memory.DevicePointer);
        arguments.Add(10);
        overrun.RunAsync(_stream, new dim3(1), new dim3(1), ref arguments);
        Assert.Equal(CUResult.ErrorIllegalAddress, Assert.Throws<CudaException>(_stream.Synchronize).CudaError);
        Assert.Contains("past the end", SoftwareDevice.Reports);
        Assert.Contains(TestKernels.Overrun, SoftwareDevice.Reports);
        SoftwareDevice.Reset();
    }

    [Fact]
    public void A_kernel_on_freed_memory_is_found_by_the_device()
    {
        SoftwareDevice.Require();
        using var memory = new CudaDeviceVariable<float>(_context, 10);
        SoftwareDevice.SetDelay(20_000);
        using (var freed = new CudaDeviceVariable<float>(_context, 10))
            TestKernels.Launch(_module.GetKernel(TestKernels.Scale), _stream, memory, freed, 1, 0);
        Assert.Equal(CUResult.ErrorIllegalAddress, Assert.Throws<CudaException>(_stream.Synchronize).CudaError);
        Assert.Contains("argument 1 points into freed memory", SoftwareDevice.Reports);
        SoftwareDevice.Reset();
    }
}
