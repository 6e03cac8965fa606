using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Peers;

/// <summary>
/// The networks of bench/peers in plain PyTorch are the ones that Atrous runs: what PyTorch saves, the tool reads, and
/// both compute the same. Skips where no Python has PyTorch.
/// </summary>
public sealed class PyTorchTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("deeplabv3plus_mobilenetv2", "65x97")]
    [InlineData("deeplabv3_resnet50", "65x65")]
    [InlineData("deeplabv3plus_xception", "65x65")]
    public void A_made_network_gives_PyTorch_s_logits(string name, string size)
    {
        string python = Environment.GetEnvironmentVariable("ATROUS_PYTHON") ?? "/usr/bin/python3";
        Assert.SkipUnless(Run(python, "-c", "import torch").ExitCode == 0,
            $"{python} has no PyTorch (apt-get install python3-torch)");
        ToolResult made = Run(python, Repository.PathOf("bench/peers/torch_peer.py"), "make", _place.Folder, name);
        made.Exits(0);
        ToolResult compared = Run(
            python, Repository.PathOf("bench/gpu/torch_gpu.py"), "compare", Tool.Path, "cpu", size,
            _place[$"{name}.pth"]);
        compared.Exits(0);
        JsonElement line = compared.Json;
        Assert.True(line.GetProperty("within").GetBoolean());
        Assert.InRange(line.GetProperty("maxError").GetDouble(), 0, Tolerance.Network);
    }

    private static ToolResult Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
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
