using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace Atrous.Bench;

/// <summary>Another runtime, as a program that is started with a model.</summary>
/// <param name="Name">The name of the runtime with its version.</param>
/// <param name="Program">The program that is started, such as python3.</param>
/// <param name="Script">The program's first argument: a script of bench/peers, or a command.</param>
internal sealed record Peer(string Name, string Program, string Script)
{
    private static string Folder { get; } =
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "peers"));

    /// <summary>ONNX Runtime, in this program started again.</summary>
    public static Peer OnnxRuntime() =>
        new($"onnxruntime {OrtEnv.Instance().GetVersionString()}", Environment.ProcessPath!, OnnxRuntimePeer.Name);

    /// <summary>PyTorch of the Python that ATROUS_PYTHON names, else of Debian's.</summary>
    /// <exception cref="BenchException">It is not installed.</exception>
    public static Peer PyTorch()
    {
        string python = Environment.GetEnvironmentVariable("ATROUS_PYTHON") ?? "/usr/bin/python3";
        using Process process = Start(python, ["-c", "import torch; print(torch.__version__)"]);
        string version = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return version.Length > 0
            ? new Peer($"PyTorch {version}", python, "torch_peer.py")
            : throw new BenchException(
                $"{python} has no PyTorch; run: apt-get install python3-torch (or name another in ATROUS_PYTHON)");
    }

    /// <summary>A process that has loaded the model and waits.</summary>
    /// <param name="model">The file, as the peer reads it.</param>
    /// <param name="shape">The shape of the input, NCHW.</param>
    /// <param name="threads">That it computes with.</param>
    /// <param name="more">What its script takes besides.</param>
    public PeerProcess Serve(string model, int[] shape, int threads, params string[] more) =>
        new(this, Start(Program, [.. Arguments("serve", model, shape, threads), .. more]));

    /// <summary>A process of its own: from its start to the first mask, and its peak memory.</summary>
    public FreshStart First(string model, int[] shape, int threads) => FreshStart.Measure(
        () => Start(Program, Arguments("first", model, shape, threads)), json => json.GetProperty("peakMiB")
        .GetDouble());

    /// <summary>In bench/peers, with its streams connected.</summary>
    public static Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return Process.Start(start) ?? throw new BenchException($"{program} did not start.");
    }

    private string[] Arguments(string command, string model, int[] shape, int threads) =>
        [Script, command, Path.GetFullPath(model), string.Join(',', shape),
        threads.ToString(CultureInfo.InvariantCulture)];

    private static string Here([CallerFilePath] string path = "") => path;
}

/// <summary>A peer with a model: one line in, one run, one line out.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Peer _peer;
    private readonly Process _process;

    public PeerProcess(Peer peer, Process process)
    {
        (_peer, _process) = (peer, process);
        ReadLine();
    }

    /// <summary>One run; milliseconds as the child measured them.</summary>
    /// <param name="output">Gets the logits as raw float32, NCHW; empty for nowhere.</param>
    public double Run(string output = "")
    {
        _process.StandardInput.WriteLine(output);
        _process.StandardInput.Flush();
        return ReadLine().GetProperty("ms").GetDouble();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private JsonElement ReadLine() => JsonDocument.Parse(
        _process.StandardOutput.ReadLine()
        ?? throw new BenchException($"{_peer.Name} ended before its answer.")).RootElement;
}
