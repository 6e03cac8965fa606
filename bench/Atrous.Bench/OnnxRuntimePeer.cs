using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Atrous.Bench;

/// <summary>
/// ONNX Runtime as a peer: this program again, in a process of its own, that speaks as bench/peers/torch_peer.py does.
/// `serve` loads a file, then answers every line with one run; `first` makes one mask and ends. The input is the same
/// pseudo-random tensor as everywhere.
/// </summary>
internal static class OnnxRuntimePeer
{
    public const string Name = "onnxruntime";

    public static Command Create()
    {
        var model = new Argument<string>("MODEL.onnx");
        var shape = new Argument<string>("N,C,H,W");
        var threads = new Argument<int>("THREADS");
        var serve = new Command("serve", "One run for every line on standard input.") { model, shape, threads };
        serve.SetAction(result => Serve(
            result.GetRequiredValue(model), result.GetRequiredValue(shape), result.GetValue(threads)));
        var first = new Command("first", "One run and its mask.") { model, shape, threads };
        first.SetAction(result => First(
            result.GetRequiredValue(model), result.GetRequiredValue(shape), result.GetValue(threads)));
        return new Command(Name, "ONNX Runtime, as `peers` starts it.")
        {
            Hidden = true,
            Subcommands = { serve, first },
        };
    }

    private static void Serve(string model, string shape, int threads)
    {
        using var network = new Network(model, shape, threads);
        network.Randomise();
        Console.WriteLine("""{"ready": true}""");
        while (Console.ReadLine() is { } path)
        {
            long start = Stopwatch.GetTimestamp();
            using OrtValue output = network.Run();
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (path.Length > 0)
                File.WriteAllBytes(path, MemoryMarshal.AsBytes(output.GetTensorDataAsSpan<float>()));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $$"""{"ms": {{milliseconds}}, "peakMiB": {{PeakMiB()}}}"""));
        }
    }

    private static void First(string model, string shape, int threads)
    {
        using var network = new Network(model, shape, threads);
        using OrtValue output = network.Run();
        long[] sizes = output.GetTensorTypeAndShape().Shape;
        byte[] labels = Winners(output.GetTensorDataAsSpan<float>(), (int)sizes[1], (int)(sizes[2] * sizes[3]));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $$"""{"pixels": {{labels.Length}}, "peakMiB": {{PeakMiB()}}}"""));
    }

    private static byte[] Winners(ReadOnlySpan<float> planes, int classes, int pixels)
    {
        float[] best = planes[..pixels].ToArray();
        var labels = new byte[pixels];
        for (int k = 1; k < classes; k++)
        {
            ReadOnlySpan<float> plane = planes.Slice(k * pixels, pixels);
            for (int i = 0; i < pixels; i++)
            {
                if (plane[i] > best[i])
                    (best[i], labels[i]) = (plane[i], (byte)k);
            }
        }
        return labels;
    }

    private static double PeakMiB()
    {
        string peak = File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith("VmHWM", StringComparison.Ordinal));
        string kib = peak.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
        return double.Parse(kib, CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>A session and its input.</summary>
    private sealed class Network : IDisposable
    {
        private readonly SessionOptions _options;
        private readonly InferenceSession _session;
        private readonly float[] _values;
        private readonly OrtValue _input;
        private readonly RunOptions _run = new();

        public Network(string model, string shape, int threads)
        {
            _options = new SessionOptions
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            };
            _session = new InferenceSession(model, _options);
            long[] sizes = [.. shape.Split(',').Select(size => long.Parse(size, CultureInfo.InvariantCulture))];
            _values = new float[sizes.Aggregate(1L, (product, size) => product * size)];
            _input = OrtValue.CreateTensorValueFromMemory(_values, sizes);
        }

        public void Randomise()
        {
            uint seed = 1;
            foreach (ref float value in _values.AsSpan())
            {
                seed = unchecked(seed * 1664525 + 1013904223);
                value = (float)(seed / 2147483648.0 - 1);
            }
        }

        /// <summary>The logits at the input's size, which are the last output.</summary>
        public OrtValue Run() =>
            _session.Run(_run, [_session.InputNames[0]], [_input], [_session.OutputNames[^1]]).Single();

        public void Dispose()
        {
            _run.Dispose();
            _input.Dispose();
            _session.Dispose();
            _options.Dispose();
        }
    }
}
