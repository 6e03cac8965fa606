using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Atrous.Tests.Support;

/// <summary>
/// Has glibc keep what the tests free, up to 2 GiB: each of them makes and frees the same large tensors, and in a
/// virtual machine the page faults of new ones are a third of the tests' time.
/// </summary>
internal static unsafe class KeptMemory
{
    // The parameters of <malloc.h>.
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MmapMax = -4;
    private const int ArenaMax = -8;

    [ModuleInitializer]
    internal static void Keep()
    {
        // Other C libraries and other systems have no such function.
        if (!NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "mallopt", out nint found))
            return;
        var mallopt = (delegate* unmanaged<int, int, int>)found;
        mallopt(TrimThreshold, int.MaxValue);
        mallopt(TopPad, 64 << 20);
        mallopt(MmapMax, 0);
        mallopt(ArenaMax, 1);
    }
}
