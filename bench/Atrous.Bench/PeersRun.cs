using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Tensors;
using Atrous.Verification;

namespace Atrous.Bench;

/// <summary>One of those that take turns at a model.</summary>
/// <param name="Name">The runtime with its version, and what it computes in.</param>
/// <param name="Run">One run; milliseconds.</param>
internal sealed record Contestant(string Name, Func<double> Run)
{
    /// <summary>What the runs took.</summary>
    public List<double> Times { get; } = [];

    /// <summary>Its logits in our order, N, H, W, C; null where another one has the same.</summary>
    public Func<float[]>? Output { get; init; }

    /// <summary>A process of its own that makes one mask; null where another one has the same.</summary>
    public Func<FreshStart>? Start { get; init; }
}

/// <summary>The same network on the same input in all runtimes, in what each of them computes it in.</summary>
internal sealed record PeersRun(Peer OnnxRuntime, Peer PyTorch, string Tool)
{
    public const int Least = 5, Most = 25;

    private const int Starts = 3;

    /// <summary>The folder of exported files.</summary>
    public required string Onnx { get; init; }

    /// <summary>The folder of quantised files; null for none.</summary>
    public required string? Int8 { get; init; }

    public required int Threads { get; init; }

    /// <summary>Of a model's turns.</summary>
    public required TimeSpan Time { get; init; }

    public MeasuredModel Measure(string given)
    {
        int at = given.LastIndexOf('@');
        string[] sides = at < 0 ? [] : given[(at + 1)..].Split('x');
        if (sides.Length != 2 || !int.TryParse(sides[0], CultureInfo.InvariantCulture, out int height)
            || !int.TryParse(sides[1], CultureInfo.InvariantCulture, out int width))
            throw new BenchException($"'{given}' is not MODEL@HEIGHTxWIDTH.");
        string path = given[..at], name = Path.GetFileNameWithoutExtension(path);
        Console.Error.WriteLine($"{name} at {height}x{width}");

        using Segmenter fp32 = Segmenter.Load(path, Options(Precision.Fp32));
        var shape = new Shape(1, height, width, fp32.Info.InputChannels);
        using Tensor input = PseudoRandom(shape);
        using var photo = new Image(height, width, 3);
        new Random(1).NextBytes(photo.Pixels);
        string picture = Path.Combine(Path.GetTempPath(), $"atrous-bench-{Environment.ProcessId}.png");
        photo.SavePng(picture);
        var open = new Stack<IDisposable>();
        try
        {
            List<Contestant> contestants = Contestants(path, name, fp32, input, photo, picture, open);
            Turns(contestants);
            float[] expected = contestants.Single(one => one.Name == PyTorch.Name).Output!();
            Dictionary<string, TensorError> differences = contestants.Where(one => one.Output is not null)
                .ToDictionary(one => one.Name, one => TensorError.Of(one.Output!(), expected));
            Dictionary<string, FreshStart> starts = FreshStarts(contestants);
            return new MeasuredModel(
                name, $"{fp32.Info.Architecture} {fp32.Info.Backbone}, output stride {fp32.Info.OutputStride}", height,
                width, contestants[0].Times.Count,
                [.. contestants.Select(one => new MeasuredRuntime(
                    one.Name, Medians.Of(one.Times), one.Times.Min(), starts.GetValueOrDefault(one.Name),
                    differences.GetValueOrDefault(one.Name)?.Max ?? 0,
                    differences.GetValueOrDefault(one.Name)?.Rms ?? 0))]);
        }
        finally
        {
            while (open.TryPop(out IDisposable? one))
                one.Dispose();
            File.Delete(picture);
        }
    }

    /// <summary>Loads the model everywhere; what must be disposed afterwards is put on a stack.</summary>
    private List<Contestant> Contestants(
        string path, string name, Segmenter fp32, Tensor input, Image photo, string picture, Stack<IDisposable> open)
    {
        string onnx = Path.Combine(Onnx, name + ".onnx");
        var contestants = new List<Contestant>
        {
            Ours(MeasuredRuntime.Atrous, fp32, path, "fp32", input, picture),
            new(MeasuredRuntime.AtrousMask, () => Timed(() => fp32.Segment(photo))),
        };
        Segmenter? bf16 = Bf16(path);
        if (bf16 is not null)
        {
            open.Push(bf16);
            contestants.Add(Ours(MeasuredRuntime.AtrousBf16, bf16, path, "bf16", input, picture));
        }
        if (Int8 is not null)
        {
            string bytes = Path.Combine(Int8, name + ".int8.safetensors");
            Segmenter int8 = Segmenter.Load(bytes, Options(Precision.Int8));
            open.Push(int8);
            contestants.Add(Ours(MeasuredRuntime.AtrousInt8, int8, bytes, "int8", input, picture));
            contestants.Add(new(MeasuredRuntime.AtrousInt8Mask, () => Timed(() => int8.Segment(photo))));
        }
        contestants.Add(Theirs(OnnxRuntime, OnnxRuntime.Name, onnx, fp32, input, open));
        if (Int8 is not null)
        {
            contestants.Add(Theirs(
                OnnxRuntime, $"{OnnxRuntime.Name} int8", Path.ChangeExtension(onnx, ".int8.onnx"), fp32, input, open));
        }
        contestants.Add(Theirs(PyTorch, PyTorch.Name, path, fp32, input, open));
        if (bf16 is not null)
        {
            contestants.Add(
                Theirs(PyTorch, $"{PyTorch.Name} bf16", path, fp32, input, open, "bf16") with { Start = null });
        }
        return contestants;
    }

    private Contestant Ours(
        string name, Segmenter segmenter, string path, string precision, Tensor input, string picture) =>
        new(name, () => Timed(() => segmenter.Infer(input).Dispose()))
        {
            Output = () => Output(segmenter, input),
            Start = () => FreshStart.OfAtrous(
                Tool, path, picture, (input.Shape.Height, input.Shape.Width), Threads, precision),
        };

    private Contestant Theirs(
        Peer peer, string name, string path, Segmenter segmenter, Tensor input, Stack<IDisposable> open,
        params string[] more)
    {
        int[] nchw = [1, input.Shape.Channels, input.Shape.Height, input.Shape.Width];
        PeerProcess process = peer.Serve(path, nchw, Threads, more);
        open.Push(process);
        return new(name, () => process.Run())
        {
            Output = () => Output(process, segmenter, input),
            Start = () => peer.First(path, nchw, Threads),
        };
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
    private void Turns(List<Contestant> contestants)
    {
        foreach (Contestant one in contestants)
            one.Run();
        long start = Stopwatch.GetTimestamp();
        for (int turn = 0; turn < Least || (turn < Most && Stopwatch.GetElapsedTime(start) < Time); turn++)
        {
            foreach (Contestant one in contestants)
                one.Times.Add(one.Run());
        }
    }

    private static Dictionary<string, FreshStart> FreshStarts(List<Contestant> contestants)
    {
        Contestant[] starting = [.. contestants.Where(one => one.Start is not null)];
        var measured = starting.ToDictionary(one => one.Name, _ => new List<FreshStart>());
        for (int turn = 0; turn < Starts; turn++)
        {
            foreach (Contestant one in starting)
                measured[one.Name].Add(one.Start!());
        }
        return measured.ToDictionary(start => start.Key, start => FreshStart.Median(start.Value));
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
            ReadOnlySpan<float> planar = MemoryMarshal.Cast<byte, float>(bytes);
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
}
