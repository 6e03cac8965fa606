using System.Diagnostics;
using Atrous.Cuda.Tests.Support;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Cli;

/// <summary>What `atrous devices` says of CUDA devices, and of their absence.</summary>
public sealed class DevicesTests
{
    [Fact]
    public void A_device_has_a_row_of_its_own()
    {
        SoftwareDevice.Require();
        string line = Row(SoftwareDevice.Folder);
        Assert.StartsWith("cuda:0 ", line);
        Assert.Contains(
            "Atrous software device, compute capability 9.0, 1 multiprocessor(s), 8.0 GiB, driver of CUDA 13.0", line);
    }

    [Fact]
    public void Without_a_driver_the_row_says_what_was_tried_and_what_to_do()
    {
        SoftwareDevice.Require();
        Assert.SkipWhen(File.Exists("/usr/lib/x86_64-linux-gnu/libcuda.so.1"), "this machine has a driver");
        string line = Row("/nowhere/at/all");
        Assert.StartsWith("cuda ", line);
        Assert.Contains("unavailable", line);
        Assert.Contains(
            "tried /nowhere/at/all/libcuda.so.1, /nowhere/at/all/libcuda.so, libcuda.so.1, libcuda.so,", line);
        Assert.Contains("install NVIDIA's driver 525 or newer", line);
    }

    private static string Row(string folder)
    {
        var start = new ProcessStartInfo(Tool.Path, ["devices"])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ATROUS_CUDA_PATH"] = folder;
        ToolResult result = Tool.Finish(Process.Start(start)!, []).Exits(0);
        return result.Output.Split('\n').Single(line => line.StartsWith("cuda", StringComparison.Ordinal));
    }
}
