using System.Runtime.InteropServices;

namespace Atrous.Files;

/// <summary>
/// Whether a path leads to a file that has a beginning and an end. A named pipe is waited for until somebody writes
/// into it, and a device may give bytes for ever.
/// </summary>
internal static partial class RegularFile
{
    /// <summary>What is wrong with one that is none.</summary>
    public const string Complaint = "it is a pipe, a socket or a device, not a regular file";

    /// <summary>
    /// The systems of files that the kernel makes up, such as /proc/kmsg: of no size, and perhaps without an end. From
    /// &lt;linux/magic.h&gt;: proc, debugfs, tracefs, securityfs, cgroup and its second version, bpf.
    /// </summary>
    private static readonly long[] MadeUp =
        [0x9fa0, 0x64626720, 0x74726163, 0x73636673, 0x27e0eb, 0x63677270, 0xcafe4a11];

    // <fcntl.h> and <linux/stat.h>: statx has one layout on every processor.
    private const int CurrentFolder = -100, ModeOffset = 28, SizeOffset = 40, StatBytes = 256;
    private const uint TypeAndSize = 0x201;
    private const int TypeMask = 0xf000, Regular = 0x8000, Folder = 0x4000;

    /// <summary>
    /// True for pipes, sockets, devices and files of no size that the kernel makes up, also by way of links; false for
    /// other files, folders and what is not there. Not known outside Linux, where it is false.
    /// </summary>
    public static unsafe bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        byte* status = stackalloc byte[StatBytes];
        try
        {
            if (StatX(CurrentFolder, path, 0, TypeAndSize, status) != 0)
                return false;
        }
        catch (EntryPointNotFoundException)
        {
            return false; // a C library from before 2018
        }
        return (*(ushort*)(status + ModeOffset) & TypeMask) switch
        {
            Folder => false,
            Regular => *(long*)(status + SizeOffset) == 0 && IsMadeUp(path),
            _ => true,
        };
    }

    /// <exception cref="NoRegularFileException">
    /// The path leads to what <see cref="IsSpecial"/> tells.
    /// </exception>
    public static void Require(string path)
    {
        if (IsSpecial(path))
            throw new NoRegularFileException();
    }

    /// <summary>As File.OpenRead, and never waits.</summary>
    /// <inheritdoc cref="Require" path="/exception"/>
    public static FileStream OpenRead(string path)
    {
        Require(path);
        return File.OpenRead(path);
    }

    private static unsafe bool IsMadeUp(string path)
    {
        // The type is the first member, a long.
        long* status = stackalloc long[StatBytes / sizeof(long)];
        return StatFs(path, status) == 0 && MadeUp.Contains(*status);
    }

    [LibraryImport("libc", EntryPoint = "statfs", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatFs(string path, long* status);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* status);
}
