using System.Runtime.InteropServices;

namespace Atrous.Native;

internal static unsafe partial class LibAtrous
{
    /// <summary>A block of at least so many bytes; what it holds is in <paramref name="size"/>.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_take_block")]
    public static partial AtrousStatus TakeBlock(long bytes, nint* block, long* size);

    /// <summary>Keeps a block for the next that is taken.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_give_back_block")]
    public static partial void GiveBackBlock(nint block, long size);

    /// <summary>Gives the kept blocks back to the system.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_release_idle_memory")]
    public static partial void ReleaseIdleMemory();
}
