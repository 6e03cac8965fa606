using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Atrous.Imaging;
using Atrous.Tensors;

namespace Atrous.Bench;

/// <summary>
/// Runs the same network on the same input in Atrous, ONNX Runtime and PyTorch, turn by turn, compares what comes out,
/// and starts each of them afresh for its start-up and its memory. bench/run.sh makes the models and starts it.
/// </summary>
internal static class PeersCommand
{
    private const int Least = 5, Most = 25, Starts = 3;

    public static Command Create()
    {
        var models = new Argument<string[]>("MODEL@HxW")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "Checkpoints, each with the input's size",
        };
        var onnx = new Option<string>("--onnx")
        {
            Required = true,
            Description = "The folder with what `atrous export` made of each: NAME.onnx",
        };
        var tool = new Option<string>("--tool")
        {
            Required = true,
            Description = "The program atrous, for start-up and memory",
        };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 2, Description = "Of each runtime" };
        var seconds = new Option<double>("--seconds")
        {
            DefaultValueFactory = _ => 40,
            Description = $"Of each model's turns; {Least} turns at least, {Most} at most",
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "The folder that gets peers.md and peers.json",
        };
        var command = new Command("peers", "Atrous, ONNX Runtime and PyTorch side by side.")
        {
            models, onnx, tool, threads, seconds, output,
        };
        command.SetAction(result =>
        {
            var run = new PeersRun(
                Peer.OnnxRuntime(), Peer.PyTorch(), result.GetRequiredValue(onnx), result.GetRequiredValue(tool),
                result.GetValue(threads),
                TimeSpan.FromSeconds(result.GetValue(seconds)));
            var report = new PeersReport(result.GetValue(threads));
            foreach (string model in result.GetRequiredValue(models))
            {
                report.Add(run.Measure(model));
                if (result.GetValue(output) is { } folder)
                    report.Save(folder);
            }
            return 0;
        });
        return command;
    }

    private sealed record PeersRun(Peer OnnxRuntime, Peer PyTorch, string Onnx, string Tool, int Threads, TimeSpan Time)
    {
        public MeasuredModel Measure(string given)
        {
            int at = given.LastIndexOf('@');
            string[] sides = at < 0 ? [] : given[(at + 1)..].Split('x');
            if (sides.Length != 2 || !int.TryParse(sides[0], CultureInfo.InvariantCulture, out int height)
                || !int.TryParse(sides[1], CultureInfo.InvariantCulture, out int width))
                throw new BenchException($"'{given}' is not MODEL@HEIGHTxWIDTH.");
            string path = given[..at], name = Path.GetFileNameWithoutExtension(path),
                onnx = Path.Combine(Onnx, name + ".onnx");
            Console.Error.WriteLine($"{name} at {height}x{width}");

            using Segmenter fp32 = Segmenter.Load(path, Options(Precision.Fp32));
            using Segmenter? bf16 = Bf16(path);
            var shape = new Shape(1, height, width, fp32.Info.InputChannels);
            int[] nchw = [1, shape.Channels, height, width];
            using Tensor input = PseudoRandom(shape);
            using var photo = new Image(height, width, 3);
            new Random(1).NextBytes(photo.Pixels);
            using PeerProcess ort = OnnxRuntime.Serve(onnx, nchw, Threads), torch = PyTorch.Serve(path, nchw, Threads);
            using PeerProcess? torchBf16 = bf16 is null ? null : PyTorch.Serve(path, nchw, Threads, "bf16");
            string torchBf16Name = $"{PyTorch.Name} bf16";

            var runtimes = new List<(string Name, Func<double> Run, List<double> Times)>
            {
                (MeasuredRuntime.Atrous, () => Timed(() => fp32.Infer(input).Dispose()), []),
                (MeasuredRuntime.AtrousMask, () => Timed(() => fp32.Segment(photo)), []),
                (OnnxRuntime.Name, () => ort.Run(), []),
                (PyTorch.Name, () => torch.Run(), []),
            };
            if (bf16 is not null && torchBf16 is not null)
            {
                runtimes.Insert(2, (MeasuredRuntime.AtrousBf16, () => Timed(() => bf16.Infer(input).Dispose()), []));
                runtimes.Add((torchBf16Name, () => torchBf16.Run(), []));
            }
            Turns(runtimes);

            var differences = new Dictionary<string, double>();
            float[] expected = Output(torch, fp32, input);
            differences[OnnxRuntime.Name] = Difference(Output(ort, fp32, input), expected);
            differences[MeasuredRuntime.Atrous] = Difference(Output(fp32, input), expected);
            if (bf16 is not null && torchBf16 is not null)
            {
                differences[MeasuredRuntime.AtrousBf16] = Difference(Output(bf16, input), expected);
                differences[torchBf16Name] = Difference(Output(torchBf16, fp32, input), expected);
            }
            Dictionary<string, FreshStart> starts = FreshStarts(path, onnx, nchw, photo, bf16 is not null);
            return new MeasuredModel(
                name, $"{fp32.Info.Architecture} {fp32.Info.Backbone}, output stride {fp32.Info.OutputStride}", height,
                width,
                runtimes[0].Times.Count,
                [.. runtimes.Select(runtime => new MeasuredRuntime(
                    runtime.Name, Medians.Of(runtime.Times), runtime.Times.Min(),
                        starts.GetValueOrDefault(runtime.Name), differences.GetValueOrDefault(runtime.Name)))]);
        }

        private SegmenterOptions Options(Precision precision) => new()
        {
            Threads = Threads,
            Device = "cpu",
            Precision = precision,
        };

        /// <summary>Null where this processor, or this version, computes in fp32 alone.</summary>
        private Segmenter? Bf16(string path)
        {
            try
            {
                return Segmenter.Load(path, Options(Precision.Bf16));
            }
            catch (UnavailableException e)
            {
                Console.Error.WriteLine($"  no bf16: {e.Message}");
                return null;
            }
        }

        /// <summary>One run of each warms up; then all take turns.</summary>
        private void Turns(List<(string Name, Func<double> Run, List<double> Times)> runtimes)
        {
            foreach ((_, Func<double> run, _) in runtimes)
                run();
            long start = Stopwatch.GetTimestamp();
            for (int turn = 0; turn < Least || (turn < Most && Stopwatch.GetElapsedTime(start) < Time); turn++)
            {
                foreach ((_, Func<double> run, List<double> times) in runtimes)
                    times.Add(run());
            }
        }

        private Dictionary<string, FreshStart> FreshStarts(
            string model, string onnx, int[] nchw, Image photo, bool bf16)
        {
            string picture = Path.Combine(Path.GetTempPath(), $"atrous-bench-{Environment.ProcessId}.png");
            photo.SavePng(picture);
            var starts = new Dictionary<string, Func<FreshStart>>
            {
                [MeasuredRuntime.Atrous] = () =>
                    FreshStart.OfAtrous(Tool, model, picture, (nchw[2], nchw[3]), Threads, "fp32"),
                [OnnxRuntime.Name] = () => OnnxRuntime.First(onnx, nchw, Threads),
                [PyTorch.Name] = () => PyTorch.First(model, nchw, Threads),
            };
            if (bf16)
                starts[MeasuredRuntime.AtrousBf16] = () =>
                    FreshStart.OfAtrous(Tool, model, picture, (nchw[2], nchw[3]), Threads, "bf16");
            try
            {
                var measured = starts.ToDictionary(start => start.Key, _ => new List<FreshStart>());
                for (int turn = 0; turn < Starts; turn++)
                {
                    foreach ((string name, Func<FreshStart> start) in starts)
                        measured[name].Add(start());
                }
                return measured.ToDictionary(start => start.Key, start => FreshStart.Median(start.Value));
            }
            finally
            {
                File.Delete(picture);
            }
        }

        private static double Timed(Action run)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        /// <summary>
        /// The tensor that the peers make as well: of a linear congruential generator, in the order N, C, H, W.
        /// </summary>
        private static Tensor PseudoRandom(Shape shape)
        {
            var tensor = new Tensor(shape);
            uint seed = 1;
            for (int c = 0; c < shape.Channels; c++)
            {
                for (int y = 0; y < shape.Height; y++)
                {
                    for (int x = 0; x < shape.Width; x++)
                    {
                        seed = unchecked(seed * 1664525 + 1013904223);
                        tensor[0, y, x, c] = (float)(seed / 2147483648.0 - 1);
                    }
                }
            }
            return tensor;
        }

        private static float[] Output(Segmenter segmenter, Tensor input)
        {
            using NetworkResult result = segmenter.Infer(input);
            return result.Output.Image<float>(0).ToArray();
        }

        /// <summary>A peer's logits in our order, N, H, W, C.</summary>
        private static float[] Output(PeerProcess peer, Segmenter segmenter, Tensor input)
        {
            string path = Path.GetTempFileName();
            try
            {
                peer.Run(path);
                byte[] bytes = File.ReadAllBytes(path);
                ReadOnlySpan<float> planar = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes);
                int classes = segmenter.Info.Classes, pixels = input.Shape.Height * input.Shape.Width;
                if (planar.Length != classes * pixels)
                    throw new BenchException($"A peer gave {planar.Length} logits where {classes * pixels} belong.");
                var values = new float[planar.Length];
                for (int i = 0; i < values.Length; i++)
                    values[i] = planar[i % classes * pixels + i / classes];
                return values;
            }
            finally
            {
                File.Delete(path);
            }
        }

        private static double Difference(float[] actual, float[] expected) =>
            Verification.TensorError.Of(actual, expected).Max;
    }
}
