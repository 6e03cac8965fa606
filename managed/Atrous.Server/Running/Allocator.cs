using System.Runtime.InteropServices;

namespace Atrous.Server.Running;

/// <summary>The C library's allocator, which holds pictures, bodies and the networks' memory.</summary>
internal static partial class Allocator
{
    // <malloc.h>
    private const int MmapThreshold = -3, ArenaMax = -8;
    private const int LargeBlock = 256 << 10, MostHeaps = 2;

    /// <summary>
    /// Large blocks go back to the system when they are freed, and small ones share two heaps. Left alone, glibc raises
    /// what it calls large to 32 MiB with the first such block that is freed, and keeps a heap for nearly every thread,
    /// each of which grows to the most that its thread ever held.
    /// </summary>
    public static void KeepSmall()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetOption(MmapThreshold, LargeBlock);
            _ = SetOption(ArenaMax, MostHeaps);
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc. musl gives large blocks back by itself.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
