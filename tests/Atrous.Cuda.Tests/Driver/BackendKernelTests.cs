using System.Text.RegularExpressions;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Driver;

/// <summary>The PTX of native/cuda loads, and its kernels run by their names.</summary>
public sealed partial class BackendKernelTests : IDisposable
{
    private readonly PrimaryContext _context = new();

    public BackendKernelTests() => _context.SetCurrent();

    public static TheoryData<string> Modules =>
        [.. Directory.EnumerateFiles(Repository.PathOf("native/cuda/ptx"), "*.ptx")
        .Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public void Dispose() => _context.Dispose();

    [Theory]
    [MemberData(nameof(Modules))]
    public void Every_entry_of_a_module_is_a_kernel_with_parameters(string module)
    {
        byte[] ptx = File.ReadAllBytes(Repository.PathOf($"native/cuda/ptx/{module}"));
        string[] entries =
            [.. Entry().Matches(System.Text.Encoding.UTF8.GetString(ptx)).Select(match => match.Groups[1].Value)];
        Assert.NotEmpty(entries);
        using var loaded = new CudaModule(_context, ptx);
        foreach (string entry in entries)
        {
            CudaKernel kernel = loaded.GetKernel(entry);
            if (CudaContext.GetDriverVersion() >= new Version(12, 4))
                Assert.NotEmpty(kernel.ParameterSizes!);
        }
    }

    [Fact]
    public void The_software_device_runs_the_kernels_that_are_compiled_for_the_host()
    {
        SoftwareDevice.Require();
        Assert.True(SoftwareDevice.LoadKernels(SoftwareDevice.HostKernels) > 0);
        Assert.Equal(-1, SoftwareDevice.LoadKernels("/nowhere.so"));

        // One row of three pixels with two channels, into a slice of a tensor of five.
        using var module =
            new CudaModule(_context, File.ReadAllBytes(Repository.PathOf("native/cuda/ptx/copy_f32.ptx")));
        using var stream = new CudaStream(_context);
        using var narrow = new CudaDeviceVariable<float>(_context, 6);
        using var wide = new CudaDeviceVariable<float>(_context, 15);
        narrow.CopyToDevice([1, 2, 3, 4, 5, 6]);
        wide.MemsetAsync((byte)0, stream);
        var arguments = new KernelArguments();
        arguments.Add(new View(narrow.DevicePointer, 2, 1, 1, 3, 2));
        arguments.Add(0);
        arguments.Add(0);
        arguments.Add(new View(wide.DevicePointer + sizeof(float), 5, 1, 1, 3, 2));
        module.GetKernel("copy_f32").RunAsync(stream, new dim3(1), new dim3(256), ref arguments);
        stream.Synchronize();
        float[] seen = new float[15];
        wide.CopyToHost(seen);
        Assert.Equal([0, 1, 2, 0, 0, 0, 3, 4, 0, 0, 0, 5, 6, 0, 0], seen);
    }

    /// <summary>The kernels' struct tensor.</summary>
    private readonly record struct View(
        CUdeviceptr Data, long PixelStride, int Batch, int Height, int Width, int Channels);

    [GeneratedRegex(@"\.entry\s+(\w+)")]
    private static partial Regex Entry();
}
