using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Support;

/// <summary>What the software device counts as alive; its own numbers.</summary>
internal enum Live
{
    MemoryBytes = 0,
    Allocations = 1,
    HostAllocations = 2,
    Streams = 3,
    Events = 4,
    Modules = 5,
    Graphs = 6,
    GraphExecs = 7,
    Contexts = 8,
    LibraryObjects = 9,
}

/// <summary>What the software device may be made to refuse; the numbers and reasons are in its header.</summary>
[Flags]
internal enum Strict
{
    None = 0,
    Doubles = 1 << 0,
    Order = 1 << 1,
    Slices = 1 << 2,
    Fp32 = 1 << 3,
    Alignment = 1 << 4,
    Heuristics = 1 << 5,
    SlowPlans = 1 << 6,
    Compiler = 1 << 7,
    LateCopies = 1 << 8,
    Notes = 1 << 9,
    Json = 1 << 10,

    /// <summary>All of these at once; those behind it want engines to be tried before they are taken.</summary>
    All = (1 << 11) - 1,
    WrongRuns = 1 << 11,
    Capture = 1 << 12,

    /// <summary>Nodes of a graph run in another order than they were recorded in, where the graph allows it.</summary>
    Branches = 1 << 13,

    /// <summary>There is no compiler, or a part of cuDNN's is not there, which are no failures.</summary>
    NoCompiler = 1 << 14,
    NoPart = 1 << 15,

    /// <summary>A capture has one stream.</summary>
    OneStream = 1 << 16,

    /// <summary>A handle of cuDNN's is in one stream of a capture, and has run before.</summary>
    Handles = 1 << 17,
}

/// <summary>
/// The test-only device of tests/device, which these tests run on. With ATROUS_TEST_GPU=1 they run on the machine's own
/// GPU instead, and what only the software device can show (counters, injected faults) is skipped.
/// </summary>
internal static unsafe partial class SoftwareDevice
{
    /// <summary>The folder of a stand-in for NVRTC that opens its builtins by their bare name.</summary>
    public static string CompilerFolder => Path.Combine(Folder, "nvrtc");

    private const string Library = "atrous_device", DnnLibrary = "atrous_dnn";

    public static bool Used { get; } = Environment.GetEnvironmentVariable("ATROUS_TEST_GPU") is not "1";

    public static string Folder { get; } = Repository.PathOf("artifacts/device");

    /// <summary>A driver of before CUDA 12.</summary>
    public static string OldFolder => Path.Combine(Folder, "old");

    /// <summary>What the device has found wrong since the last reset, a line each.</summary>
    public static string Reports
    {
        get
        {
            byte[] text = new byte[16 * 1024];
            fixed (byte* start = text)
                return Encoding.UTF8.GetString(
                    text, 0, Math.Min(text.Length - 1, (int)ReadReports(start, (nuint)text.Length)));
        }
    }

    /// <summary>The backend's kernels, compiled for the host.</summary>
    public static string HostKernels { get; } = Path.Combine(AppContext.BaseDirectory, "libatrous_kernels_host.so");

    public static void Require() =>
        Assert.SkipUnless(Used, "only the software device can show this; these tests run on a GPU");

    [LibraryImport(Library, EntryPoint = "atrous_device_live")]
    public static partial long Count(Live kind);

    [LibraryImport(Library, EntryPoint = "atrous_device_executed")]
    public static partial long Executed();

    /// <summary>Verifies all memory; how many reports there are.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_check")]
    public static partial int Check();

    [LibraryImport(Library, EntryPoint = "atrous_device_reset")]
    public static partial void Reset();

    [LibraryImport(Library, EntryPoint = "atrous_device_fail_allocation")]
    public static partial void FailAllocation(int nth);

    [LibraryImport(Library, EntryPoint = "atrous_device_fail_jit", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void FailJit(string log);

    [LibraryImport(Library, EntryPoint = "atrous_device_set_delay")]
    public static partial void SetDelay(int microseconds);

    /// <summary>Refuses, or delays, what a real device may; until <see cref="Reset"/>.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_be_strict")]
    public static partial void BeStrict(Strict how);

    /// <summary>The n-th call from now that can fail does; 0 for none.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_fail_call")]
    public static partial void FailCall(int nth);

    /// <summary>Whether the call that should fail was reached.</summary>
    public static bool HasFailed => HasFailedNow() != 0;

    /// <summary>How many devices there are; 0 for one.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_set_count")]
    public static partial void SetCount(int count);

    /// <summary>A device is lost after so many pieces of its work.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_lose")]
    public static partial void Lose(int device, int after);

    /// <summary>What the device says its compute capability is, times 10; 0 for its own.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_set_capability")]
    public static partial void SetCapability(int capability);

    /// <summary>What a cuDNN engine takes the host before its work is in the stream, and the device for that.</summary>
    [LibraryImport(DnnLibrary, EntryPoint = "atrous_dnn_set_time")]
    public static partial void SetTime(long engine, int hostMicroseconds, int deviceMicroseconds);

    /// <summary>Adds kernels that were compiled for the host; how many, or -1.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_device_load_kernels", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LoadKernels(string path);

    [LibraryImport(Library, EntryPoint = "atrous_device_has_failed")]
    private static partial byte HasFailedNow();

    [LibraryImport(Library, EntryPoint = "atrous_device_reports")]
    private static partial nuint ReadReports(byte* text, nuint capacity);

    /// <summary>Whether the software cuDNN takes outputs that are slices of wider tensors; 0 or 1.</summary>
    [LibraryImport(DnnLibrary, EntryPoint = "atrous_dnn_refuse_slices")]
    public static partial void RefuseSlices(int refuse);

    /// <summary>
    /// Before anything asks for a library: the software device comes first, and knows the backend's kernels whichever
    /// test does.
    /// </summary>
    [ModuleInitializer]
    internal static void Choose()
    {
        if (!Used)
            return;
        Environment.SetEnvironmentVariable("ATROUS_CUDA_PATH", Folder);
        // On software the time of an engine means nothing, and nothing shall be kept in the user's own folder.
        Environment.SetEnvironmentVariable("ATROUS_CUDA_TUNING", "off");
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => name switch
        {
            Library => NativeLibrary.Load(Path.Combine(Folder, "libcuda.so.1")),
            DnnLibrary => NativeLibrary.Load(Path.Combine(Folder, "libcudnn.so.9")),
            _ => 0,
        });
        if (LoadKernels(HostKernels) <= 0)
            throw new InvalidOperationException($"'{HostKernels}' has no kernels.");
    }
}
