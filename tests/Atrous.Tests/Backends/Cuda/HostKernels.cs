using System.Runtime.InteropServices;
using Atrous.Backends.Cuda;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>The kernels of native/cuda compiled for the host (native/cuda/host/host_kernels.h).</summary>
internal static unsafe class HostKernels
{
    private static readonly Lazy<IReadOnlyDictionary<string, nint>> Entries = new(Load);

    public static IEnumerable<string> Names => Entries.Value.Keys;

    /// <summary>Runs a launch to its end on the calling thread.</summary>
    public static void Run(KernelLaunch launch)
    {
        var run = (delegate* unmanaged<Dim3, Dim3, uint, void**, void>)Entries.Value[launch.Kernel.Name];
        run(new Dim3(launch.GridX, launch.GridY, 1), new Dim3((uint)launch.Kernel.BlockSize, 1, 1), 0,
            launch.Parameters);
        GC.KeepAlive(launch);
    }

    private static Dictionary<string, nint> Load()
    {
        nint library = NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "libatrous_kernels_host.so"));
        var kernels = (delegate* unmanaged<nuint*, Entry*>)NativeLibrary.GetExport(library, "atrous_host_kernels");
        nuint count;
        Entry* entries = kernels(&count);
        var byName = new Dictionary<string, nint>();
        for (nuint i = 0; i < count; i++)
            byName.Add(Marshal.PtrToStringUTF8(entries[i].Name)!, entries[i].Run);
        return byName;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Dim3(uint X, uint Y, uint Z);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Entry(nint Name, nint Run);
}
