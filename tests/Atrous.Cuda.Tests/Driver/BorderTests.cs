using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.Libraries;
using Atrous.ManagedCuda.Native;

namespace Atrous.Cuda.Tests.Driver;

/// <summary>
/// What crosses the border has the driver's own layout, and every entry point that is imported is there.
/// </summary>
public sealed class BorderTests
{
    [Fact]
    public void Handles_are_one_pointer()
    {
        Assert.Equal(8, Unsafe.SizeOf<CUdeviceptr>());
        Assert.Equal(IntPtr.Size, Unsafe.SizeOf<CUstream>());
        Assert.Equal(IntPtr.Size, Unsafe.SizeOf<CUcontext>());
        Assert.Equal(4, Unsafe.SizeOf<CUdevice>());
        Assert.Equal(16 * IntPtr.Size, Unsafe.SizeOf<CUDA_MEMCPY2D>());
        Assert.Equal(3 * IntPtr.Size, Unsafe.SizeOf<CUgraphExecUpdateResultInfo>());
    }

    [Fact]
    public void The_driver_has_every_entry_point_that_is_imported()
    {
        nint driver = CudaLibraryProbe.Load(CudaLibraryName.Driver).Handle;
        string[] imports = [.. ImportsOf(typeof(DriverApi), "cu")];
        Assert.True(imports.Length > 50);
        Assert.All(imports, name => Assert.True(NativeLibrary.TryGetExport(driver, name, out _), name));
    }

    internal static IEnumerable<string> ImportsOf(Type type, string prefix) =>
        type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        .Select(method => method.Name)
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Distinct();
}
