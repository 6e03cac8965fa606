using System.Diagnostics;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Serving;

/// <summary>Programs that others wrote, or that are written for what others wrote, as clients of a server.</summary>
internal static class ForeignClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs a script of tests/clients against a server, with a photo of its own.</summary>
    /// <param name="program">What runs the script.</param>
    /// <param name="script">The name of its file.</param>
    /// <param name="address">The server's address, as the script takes it.</param>
    public static void Check(string program, string script, string address)
    {
        using var place = new Workplace();
        string photo = place.AddPhoto("photo.png");
        ToolResult result =
            Run(program, Repository.PathOf($"tests/clients/{script}"), address, "street", photo)!.Exits(0);
        Assert.Equal("ok\n", result.Output);
    }

    /// <summary>What a program says; null where there is no such program.</summary>
    public static ToolResult? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process =
                Process.Start(
                    new ProcessStartInfo(
                        program, arguments)
                    { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = new MemoryStream();
            Task copying = process.StandardOutput.BaseStream.CopyToAsync(output);
            Task<string> error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                Assert.Fail($"{program} did not end within {Patience}.");
            }
            Task.WaitAll(copying, error);
            return new ToolResult(process.ExitCode, output.ToArray(), error.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
