using System.ComponentModel;
using System.Diagnostics;

namespace Atrous.Tests.Cli;

/// <summary>The Python whose libraries read what the tool writes: Debian's, or that of ATROUS_PYTHON.</summary>
internal static class Python
{
    private static readonly string Path = Environment.GetEnvironmentVariable("ATROUS_PYTHON") ?? "/usr/bin/python3";

    /// <summary>Skips the test where a module is missing.</summary>
    public static void Require(params string[] modules) => Assert.SkipUnless(
        modules.All(names => Run("-c", $"import {names}").ExitCode == 0),
        $"{Path} lacks one of {string.Join(", ", modules)} (apt-get install python3-gdal python3-opencv python3-lxml)");

    public static ToolResult Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Tool.Finish(Process.Start(start)!, []);
        }
        catch (Win32Exception e)
        {
            return new ToolResult(127, [], e.Message);
        }
    }
}
