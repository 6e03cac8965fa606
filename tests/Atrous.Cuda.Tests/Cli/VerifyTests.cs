using System.Text.Json;
using Atrous.Cuda.Tests.Support;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Cli;

/// <summary>
/// `atrous verify` and `atrous bench` on a CUDA device: every precision keeps its tolerance, layer by layer.
/// </summary>
public sealed class VerifyTests
{
    private static readonly string Model =
        Path.Combine(Path.GetDirectoryName(Tool.Path)!, "models", "atrous-street.safetensors");

    [Theory]
    [InlineData("fp32")]
    [InlineData("tf32")]
    [InlineData("fp16")]
    [InlineData("bf16")]
    public void Every_layer_is_within_the_tolerance_of_its_precision(string precision)
    {
        JsonElement json =
            Run("verify", Model, "--device", "cuda", "--precision", precision, "--size", "65x65", "--layers", "--json",
            "-q").Exits(0).Json;
        Assert.True(json.GetProperty("within").GetBoolean());
        Assert.Equal("cpu", json.GetProperty("against").GetString());
        Assert.StartsWith("cuda:", json.GetProperty("device").GetString());
        double[] errors =
            [.. json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("rms").GetDouble())];
        Assert.InRange(errors.Length, 30, 60);
        // Layers are seen as they are stored: what has 8 or 11 bits differs from float32 by more than float32 from
        // itself.
        if (precision != "fp32")
            Assert.InRange(errors.Min(), 1e-5, 1e-2);
    }

    [Fact]
    public void The_bench_tells_the_device_s_memory_and_stages()
    {
        JsonElement json =
            Run("bench", Model, "--device", "cuda", "--size", "65x65", "--runs", "2", "--warm-up", "0", "--json")
            .Exits(0).Json;
        // The weights alone.
        Assert.InRange(json.GetProperty("peakDeviceBytes").GetInt64(), new FileInfo(Model).Length / 2, 1L << 30);
        Assert.Equal(2, json.GetProperty("runs").GetInt32());
        foreach (string stage in (string[])["decode", "upload", "preprocess", "network", "download", "encode"])
            Assert.True(json.GetProperty("milliseconds").TryGetProperty(stage, out _), stage);
        Assert.NotEqual(0, json.GetProperty("milliseconds").GetProperty("network").GetProperty("median").GetDouble());
    }

    private static ToolResult Run(params string[] arguments)
    {
        KeyValuePair<string, string>[] environment = SoftwareDevice.Used
            ? [new("ATROUS_CUDA_PATH", SoftwareDevice.Folder), new("ATROUS_DEVICE_KERNELS", SoftwareDevice.HostKernels)]
            : [];
        return Tool.Finish(Tool.Start(Repository.Root, environment, arguments), []);
    }
}
