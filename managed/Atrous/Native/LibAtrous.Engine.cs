using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <content>Engines: a thread pool and an instruction set.</content>
internal static unsafe partial class LibAtrous
{
    [LibraryImport(Library, EntryPoint = "atrous_engine_create")]
    public static partial AtrousStatus EngineCreate(int threads, out nint engine);

    [LibraryImport(Library, EntryPoint = "atrous_engine_destroy")]
    public static partial void EngineDestroy(nint engine);

    [LibraryImport(Library, EntryPoint = "atrous_engine_isa")]
    public static partial byte* EngineIsa(EngineHandle engine);

    [LibraryImport(Library, EntryPoint = "atrous_engine_require_bfloat16")]
    public static partial AtrousStatus EngineRequireBFloat16(EngineHandle engine);

    [LibraryImport(Library, EntryPoint = "atrous_engine_threads")]
    public static partial int EngineThreads(EngineHandle engine);

    [LibraryImport(Library, EntryPoint = "atrous_engine_begin_run")]
    public static partial void EngineBeginRun(EngineHandle engine);

    [LibraryImport(Library, EntryPoint = "atrous_engine_end_run")]
    public static partial void EngineEndRun(EngineHandle engine);
}
