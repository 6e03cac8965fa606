using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Atrous.Tests.Cli;

/// <summary>Signals to processes.</summary>
public static partial class Signals
{
    /// <summary>Sends one; on Windows, which has none, the process is ended and the test skipped.</summary>
    /// <param name="process">The process, or minus the number of a group.</param>
    /// <param name="signal">The signal's number.</param>
    public static void Send(int process, int signal)
    {
        if (OperatingSystem.IsWindows())
        {
            using var running = Process.GetProcessById(process);
            running.Kill();
            running.WaitForExit();
            Assert.Skip("Windows has no signals.");
        }
        Assert.Equal(0, Kill(process, signal));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
