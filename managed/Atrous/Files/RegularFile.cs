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

    // <fcntl.h> and <linux/stat.h>: statx has one layout on every processor.
    private const int CurrentFolder = -100, ModeOffset = 28, StatBytes = 256;
    private const uint TypeWanted = 1;
    private const int TypeMask = 0xf000, Regular = 0x8000, Folder = 0x4000;

    /// <summary>
    /// True for pipes, sockets and devices, also by way of links; false for files, folders and what is not there. Not
    /// known outside Linux, where it is false.
    /// </summary>
    public static unsafe bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        byte* status = stackalloc byte[StatBytes];
        try
        {
            if (StatX(CurrentFolder, path, 0, TypeWanted, status) != 0)
                return false;
        }
        catch (EntryPointNotFoundException)
        {
            return false; // a C library from before 2018
        }
        return (*(ushort*)(status + ModeOffset) & TypeMask) is not (Regular or Folder);
    }

    /// <exception cref="IOException">The path leads to what <see cref="IsSpecial"/> tells.</exception>
    public static void Require(string path)
    {
        if (IsSpecial(path))
            throw new IOException(Complaint);
    }

    /// <summary>As File.OpenRead, and never waits.</summary>
    /// <inheritdoc cref="Require" path="/exception"/>
    public static FileStream OpenRead(string path)
    {
        Require(path);
        return File.OpenRead(path);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* status);
}
