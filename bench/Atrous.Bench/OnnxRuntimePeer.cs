using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Atrous.Bench;

/// <summary>bench/peers/onnxruntime.mjs as a child process: one line in, one run, one line out.</summary>
internal sealed class OnnxRuntimePeer : IDisposable
{
    private readonly Process _node;

    public OnnxRuntimePeer(string onnx, int[] shape, int threads)
    {
        var start = new ProcessStartInfo("node")
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])
            ["onnxruntime.mjs", Path.GetFullPath(onnx), string.Join(',', shape), threads.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }
        _node = Process.Start(start) ?? throw new InvalidOperationException("node did not start.");
        ReadLine();
    }

    /// <summary>Of the installed package.</summary>
    public static string Version
    {
        get
        {
            string path = Path.Combine(Folder, "node_modules", "onnxruntime-node", "package.json");
            using JsonDocument package = JsonDocument.Parse(File.ReadAllBytes(path));
            return package.RootElement.GetProperty("version").GetString()!;
        }
    }

    /// <summary>Of the child, so far.</summary>
    public double PeakMiB { get; private set; }

    private static string Folder => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "peers"));

    /// <summary>One run; milliseconds as the child measured them.</summary>
    public double Run()
    {
        _node.StandardInput.WriteLine();
        _node.StandardInput.Flush();
        JsonElement line = ReadLine();
        PeakMiB = line.GetProperty("peakMiB").GetDouble();
        return line.GetProperty("ms").GetDouble();
    }

    public void Dispose()
    {
        _node.StandardInput.Close();
        _node.WaitForExit();
        _node.Dispose();
    }

    private static string Here([CallerFilePath] string path = "") => path;

    private JsonElement ReadLine()
    {
        string line = _node.StandardOutput.ReadLine() ?? throw new InvalidOperationException(
            "onnxruntime-node did not answer; install it with: npm install --ignore-scripts --prefix bench/peers");
        return JsonDocument.Parse(line).RootElement;
    }
}
