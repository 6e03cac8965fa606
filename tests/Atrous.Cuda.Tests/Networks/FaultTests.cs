using System.Diagnostics;
using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.ManagedCuda;
using Atrous.Tests.Backends;
using Atrous.Tests.Cli;
using Atrous.Tests.Graph;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>What goes wrong on a device is one sentence that says what to do, and leaves nothing behind.</summary>
public sealed class FaultTests
{
    private readonly NetworkGraph _graph = RandomGraphs.Make(2);

    [Fact]
    public void Whichever_allocation_fails_it_is_said_and_the_next_run_is_good()
    {
        SoftwareDevice.Require();
        float[] input = RandomGraphs.Input(_graph, 2);
        var expected = (float[])Running.Reference(_graph, input)[0];
        var sentences = new HashSet<string>();
        for (int nth = 1; ; nth++)
        {
            using CudaBackend backend = AllBackends.Open(Precision.Fp32);
            SoftwareDevice.FailAllocation(nth);
            try
            {
                Running.Run(backend, _graph, input);
                SoftwareDevice.FailAllocation(0);
                break;
            }
            catch (AtrousException e)
            {
                Assert.EndsWith(".", e.Message);
                Assert.Matches("MiB.*use a smaller batch", e.Message);
                sentences.Add(e.Message.Contains("weights", StringComparison.Ordinal)
                    ? "weights"
                    : e.Message.Contains("pinned", StringComparison.Ordinal) ? "pinned" : "picture");
            }
            Tolerance.AssertWithin(1e-4, (float[])Running.Run(backend, _graph, input)[0], expected, "after a failure");
        }
        Assert.Equal(["picture", "pinned", "weights"], sentences.Order());
    }

    [Fact]
    public void A_network_that_is_too_large_says_how_much_it_needs()
    {
        SoftwareDevice.Require();
        OpCase test = OpCases.Find("crop_all");
        using CudaBackend backend = AllBackends.Open(Precision.Fp16);
        using IExecutable executable = backend.Compile(test.Graph());
        SoftwareDevice.FailAllocation(1);
        AtrousException e =
            Assert.ThrowsAny<AtrousException>(() => Running.Run(executable, test.Graph(), test.InputValues()));
        Assert.Equal(
            "The device cuda:0 has no 1 MiB for a picture of 4x5, and 8192 of its 8192 MiB are free; use a smaller " +
            "batch, a sliding window or fp16, or end other programs that use it.",
            e.Message);
        Assert.Equal(Remedy.SlideWindow | Remedy.UseHalfPrecision, e.Remedy);
    }

    [Fact]
    public void Kernels_that_the_driver_does_not_compile_are_the_driver_s_age()
    {
        SoftwareDevice.Require();
        OpCase test = OpCases.Find("depthwise_3x3");
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        SoftwareDevice.FailJit("ptxas: unsupported version");
        UnavailableException e =
            Assert.Throws<UnavailableException>(() => Running.Run(backend, test.Graph(), test.InputValues()));
        Assert.Contains("update NVIDIA's driver", e.Message);
        Assert.Equal(Remedy.UseCpu, e.Remedy);
        Assert.Contains("ptxas: unsupported version", e.Message);
        Running.Run(backend, test.Graph(), test.InputValues());
    }

    [Fact]
    public void A_device_that_is_lost_is_said()
    {
        SoftwareDevice.Require();
        OpCase test = OpCases.Find("conv_3x3");
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        using IExecutable executable = backend.Compile(test.Graph());
        Running.Run(executable, test.Graph(), test.InputValues());
        using var context = new PrimaryContext();
        using var module = new CudaModule(context, TestKernels.Ptx);
        using var stream = new CudaStream(context);
        using var memory = new CudaDeviceVariable<float>(context, 10);
        using (context.Enter())
        {
            // Somebody else's kernel writes where there is no memory, which ends the context for all.
            var arguments = new KernelArguments();
            arguments.Add(memory.DevicePointer);
            arguments.Add(10);
            module.GetKernel(TestKernels.Overrun).RunAsync(stream, new dim3(1), new dim3(1), ref arguments);
            Assert.Throws<CudaException>(stream.Synchronize);
        }
        AtrousException e =
            Assert.Throws<DeviceLostException>(() => Running.Run(executable, test.Graph(), test.InputValues()));
        Assert.Contains("has stopped working in this process", e.Message);
        Assert.Contains("start the process again", e.Message);
        SoftwareDevice.Reset();
    }

    [Theory]
    [InlineData("libcudnn.so.9", "libcudnn.so.9")]
    [InlineData("libcublasLt.so.13", "libcublasLt.so.13")]
    public void A_library_that_is_missing_is_named_and_auto_says_that_it_takes_the_cpu(string missing, string named)
    {
        SoftwareDevice.Require();
        string folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;
        try
        {
            foreach (string file in Directory.GetFiles(SoftwareDevice.Folder)
                .Where(file => Path.GetFileName(file) != missing))
                File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(file)), file);
            ToolResult refused = Segment(folder, "cuda").Exits(2);
            Assert.Contains(named, refused.Error);
            Assert.Contains("--device cpu", refused.Error);
            Assert.DoesNotContain("   at ", refused.Error);
            ToolResult taken = Segment(folder, "auto").Exits(0);
            Assert.Contains("on cpu, fp32 (", taken.Error);
            Assert.DoesNotContain("--device cpu", taken.Error);
            Assert.Contains(named, taken.Error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_driver_that_is_too_old_is_said()
    {
        SoftwareDevice.Require();
        ToolResult refused = Segment(SoftwareDevice.OldFolder, "cuda").Exits(2);
        Assert.Contains("older than", refused.Error);
        Assert.Contains("on cpu, fp32", Segment(SoftwareDevice.OldFolder, "auto").Exits(0).Error);
    }

    [Fact]
    public void Without_a_driver_auto_takes_the_cpu_and_says_nothing_of_a_gpu()
    {
        SoftwareDevice.Require();
        Assert.SkipWhen(File.Exists("/usr/lib/x86_64-linux-gnu/libcuda.so.1"), "this machine has a driver");
        ToolResult taken = Segment("/nowhere/at/all", "auto").Exits(0);
        Assert.EndsWith("on cpu, fp32", taken.Error.Split('\n')[0].TrimEnd());
        Assert.Contains("cannot be loaded; tried", Segment("/nowhere/at/all", "cuda").Exits(2).Error);
    }

    private static ToolResult Segment(string folder, string device)
    {
        string mask = Path.Combine(Path.GetTempPath(), $"atrous-tests-{Guid.NewGuid():N}.png");
        var start = new ProcessStartInfo(
            Tool.Path, ["segment", "samples/street.png", "--device", device, "--resize", "65x65", "-o", mask])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ATROUS_CUDA_PATH"] = folder;
        try
        {
            return Tool.Finish(Process.Start(start)!, []);
        }
        finally
        {
            File.Delete(mask);
        }
    }
}
