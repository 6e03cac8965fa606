using System.Runtime.InteropServices;

namespace Atrous.Server.Running;

/// <summary>The C library's allocator, which holds pictures, bodies and the networks' memory.</summary>
internal static partial class Allocator
{
    // <malloc.h>
    private const int MmapThreshold = -3;
    private const int LargeBlock = 256 << 10;

    /// <summary>
    /// Large blocks go back to the system when they are freed. Left alone, glibc raises what it calls large to 32 MiB with the
    /// first such block that is freed, and from then on keeps them in as many heaps as there are threads.
    /// </summary>
    public static void ReturnLargeBlocks()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetOption(MmapThreshold, LargeBlock);
        }
        catch (EntryPointNotFoundException)
        {
            // Not glibc. musl gives large blocks back by itself.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
