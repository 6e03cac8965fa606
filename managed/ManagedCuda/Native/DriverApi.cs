using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.ManagedCuda.Native;

/// <summary>
/// The driver's entry points, by the explicit names that CUDA 12 and 13 both export: a header's macro would turn
/// cuMemAlloc into cuMemAlloc_v2, and the bare name is an older ABI. What a call returns is judged in
/// <see cref="ThrowIfFailed"/> alone.
/// </summary>
internal static unsafe partial class DriverApi
{
    private const string Library = "cuda";

    /// <summary>CUDA 12.0, as cuDriverGetVersion counts.</summary>
    private const int OldestVersion = 12000;

    private const string NotCurrent =
        " (work in a stream wants the stream's context to be current on this thread: CudaContext.Enter)";

    private static readonly Lazy<int> InitializedVersion = new(Initialize);

    static DriverApi() => CudaLibraryProbe.Serve(typeof(DriverApi).Assembly, CudaLibraryName.Driver);

    /// <summary>
    /// The CUDA version of the driver, 1000 x major + 10 x minor; the first call initialises the driver.
    /// </summary>
    /// <exception cref="CudaLibraryNotFoundException">There is no driver.</exception>
    /// <exception cref="CudaException">There is one, but it has no device, is too old or is broken.</exception>
    public static int Version => InitializedVersion.Value;

    /// <summary>Turns a failure into an exception that names the call.</summary>
    /// <param name="result">What the import returned.</param>
    /// <param name="call">The call's own text; its entry point is taken from it.</param>
    public static void ThrowIfFailed(CUResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CUResult.Success)
            throw ToException(result, call);
    }

    public static CudaException ToException(CUResult result, string call, string? log = null) =>
        new(result, EntryPoint(call), NameOf(result), TextOf(result)
        + (result == CUResult.ErrorInvalidContext ? NotCurrent : ""), log);

    /// <summary>"cuMemAlloc_v2" of "DriverApi.cuMemAlloc_v2(out CUdeviceptr pointer, bytes)".</summary>
    private static string EntryPoint(string call)
    {
        int end = call.IndexOf('(', StringComparison.Ordinal);
        string name = end < 0 ? call : call[..end];
        return name[(name.LastIndexOf('.') + 1)..];
    }

    private static string NameOf(CUResult result) =>
        cuGetErrorName(result, out byte* name) == CUResult.Success && name != null
        ? Marshal.PtrToStringUTF8((nint)name)! : $"CUDA error {(int)result}";

    private static string TextOf(CUResult result) =>
        cuGetErrorString(result, out byte* text) == CUResult.Success && text != null
        ? Marshal.PtrToStringUTF8((nint)text)! : "the driver has no words for it";

    private static int Initialize()
    {
        // Before an import asks for it: what the resolver throws passes through the runtime's own frames, after which
        // Wine before 9 hangs (tests/packages/README.md).
        CudaLibraryProbe.Load(CudaLibraryName.Driver);
        ThrowIfFailed(cuInit(0));
        ThrowIfFailed(cuDriverGetVersion(out int version));
        if (version < OldestVersion)
        {
            throw ToException(
                CUResult.ErrorSystemDriverMismatch, nameof(cuDriverGetVersion),
                $"it supports CUDA {version / 1000}.{version % 1000 / 10}, CUDA {OldestVersion / 1000} or newer is " +
                $"needed; update the driver");
        }
        return version;
    }

    [LibraryImport(Library)]
    public static partial CUResult cuInit(uint flags);

    [LibraryImport(Library)]
    public static partial CUResult cuDriverGetVersion(out int version);

    [LibraryImport(Library)]
    private static partial CUResult cuGetErrorName(CUResult error, out byte* name);

    [LibraryImport(Library)]
    private static partial CUResult cuGetErrorString(CUResult error, out byte* text);
}
