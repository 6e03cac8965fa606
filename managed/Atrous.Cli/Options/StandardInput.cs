using System.Runtime.InteropServices;

namespace Atrous.Cli.Options;

/// <summary>The picture that "-" stands for.</summary>
internal static partial class StandardInput
{
    // <fcntl.h>
    private const int GetDescriptorFlags = 1, CloseOnExec = 1;

    /// <exception cref="CommandException">It is closed, or nobody would send anything.</exception>
    public static Stream Open()
    {
        if (!OperatingSystem.IsWindows() && IsOurOwn())
            throw new CommandException(ExitCode.BadInput, "standard input is closed; pipe a picture into it.");
        return Console.IsInputRedirected
            ? Console.OpenStandardInput()
            : throw CommandException.Usage("standard input is the terminal; pipe a picture into it.");
    }

    /// <summary>
    /// Where a process is started without standard input, the first thing that it opens itself gets that number, and
    /// reading from it can wait for ever. What was handed down never closes on exec; what .NET opens always does.
    /// </summary>
    private static bool IsOurOwn()
    {
        int flags = Control(0, GetDescriptorFlags);
        return flags < 0 || (flags & CloseOnExec) != 0;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);
}
