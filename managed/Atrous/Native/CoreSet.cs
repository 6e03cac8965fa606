using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <summary>Linux's cpu_set_t: the cores that a thread may run on, of at most 1024.</summary>
[InlineArray(Words)]
internal partial struct CoreSet
{
    private const int Words = 16, Bits = 64;

    private ulong _first;

    /// <summary>Those of the calling thread; null where the system has more than fit, or is not Linux.</summary>
    public static CoreSet? OfThread()
    {
        CoreSet cores = default;
        return OperatingSystem.IsLinux() && GetAffinity(0, (nuint)Unsafe.SizeOf<CoreSet>(), ref cores) == 0
            ? cores
            : null;
    }

    public readonly bool Has(int core) => core < Words * Bits && (this[core / Bits] >> core % Bits & 1) != 0;

    /// <summary>Adds a core that fits.</summary>
    public void Add(int core) => this[core / Bits] |= 1UL << core % Bits;

    /// <summary>Keeps the calling thread on these; false where the system refuses.</summary>
    public readonly bool KeepThread() => SetAffinity(0, (nuint)Unsafe.SizeOf<CoreSet>(), in this) == 0;

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nuint size, ref CoreSet cores);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, in CoreSet cores);
}
