using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Exporting;

/// <summary>ONNX Runtime as the judge of exported files, through node and bench/peers.</summary>
internal static class OnnxRuntime
{
    private static readonly string Peers = Repository.PathOf("bench/peers");

    /// <summary>Skips the running test where node or the package is missing.</summary>
    public static void Require()
    {
        bool isThere = Directory.Exists(Path.Combine(Peers, "node_modules", "onnxruntime-node"))
            && Environment.GetEnvironmentVariable("PATH")!.Split(':')
            .Any(folder => File.Exists(Path.Combine(folder, "node")));
        if (!isThere)
            Assert.Skip("needs node and onnxruntime-node (npm install --ignore-scripts in bench/peers)");
    }

    /// <summary>Every output of a run on each input, NHWC.</summary>
    public static IReadOnlyList<Dictionary<string,
        (Shape Shape, float[] Values)>> Run(ExportFolder folder, string model, params Tensor[] inputs)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Peers, "run_onnx.mjs"), model])
        {
            WorkingDirectory = Peers,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        for (int i = 0; i < inputs.Length; i++)
        {
            Shape shape = inputs[i].Shape;
            string input = folder.PathOf($"input{i}.raw");
            File.WriteAllBytes(input, MemoryMarshal.AsBytes<float>(Layout.ToNchw(Layout.Values(inputs[i]), shape)));
            start.ArgumentList.Add(input);
            start.ArgumentList.Add(
                string.Create(
                    CultureInfo.InvariantCulture, $"{shape.Batch},{shape.Channels},{shape.Height},{shape.Width}"));
            start.ArgumentList.Add(folder.PathOf($"run{i}"));
        }
        using Process node = Process.Start(start)!;
        Task<string> errors = node.StandardError.ReadToEndAsync();
        string[] lines = node.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        node.WaitForExit();
        Assert.True(node.ExitCode == 0, errors.Result);
        return [.. lines.Select((line, i) => Outputs(line, folder.PathOf($"run{i}")))];
    }

    private static Dictionary<string, (Shape Shape, float[] Values)> Outputs(string line, string prefix)
    {
        var outputs = new Dictionary<string, (Shape, float[])>();
        foreach ((string name, int[] sizes) in JsonSerializer.Deserialize<Dictionary<string, int[]>>(line)!)
        {
            var shape = new Shape(sizes[0], sizes[2], sizes[3], sizes[1]);
            float[] planar = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes($"{prefix}.{name}.raw").AsSpan())
                .ToArray();
            outputs.Add(name, (shape, Layout.ToNhwc(planar, shape)));
        }
        return outputs;
    }
}
